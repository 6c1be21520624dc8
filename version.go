package netlab

// version is the version of this source. It goes into results and captures, so it names a release and nothing of the
// machine or the build.
const version = "0.1.0"

// Version returns netlab's version.
func Version() string { return version }
