package topology

import "netlab/units"

// Disk says what a host's disk costs. Zero values mean that it costs nothing and has no limit.
type Disk struct {
	Latency  units.Distribution `json:"latency,omitzero" jsonschema_description:"How long each operation takes, beside moving its data. Default 0s."`
	Sync     units.Distribution `json:"sync,omitzero" jsonschema_description:"How much longer it takes to make sure that what was written outlives a crash. Default 0s."`
	Rate     units.BitRate      `json:"rate,omitempty" jsonschema_description:"How fast data is read and written, such as 100MB/s. Default: no limit."`
	Capacity units.Bytes        `json:"capacity,omitempty" jsonschema_description:"How much the disk holds. Default: no limit."`
}

// checkDisk checks the disk of a host.
func (c *checker) checkDisk(at place, d *Disk) {
	if d == nil {
		return
	}
	positive(c, at.field("rate"), d.Rate)
	positive(c, at.field("capacity"), d.Capacity)
}
