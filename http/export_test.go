package http

// StreamOf is streamOf for tests.
var StreamOf = streamOf
