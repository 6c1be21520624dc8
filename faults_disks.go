package netlab

import (
	"fmt"

	"netlab/ip"
	"netlab/topology"
)

// diskFault does what a fault of disks says to one host. ok is false for other verbs.
func (r *Run) diskFault(n *worldNode, verb string, f *topology.Fault, factor float64, emit func(kind, detail string)) (
	undo func(), ok bool, err error,
) {
	// of counts faults of a kind: the disk is as they make it while there is one.
	of := func(count *int, set func(d *ip.Disk, on bool), begins, ends string) func() {
		*count++
		set(n.host().Disk(), true)
		emit("disk", begins)
		return func() {
			*count--
			set(n.host().Disk(), *count > 0)
			emit("disk", ends)
		}
	}
	switch verb {
	case "fill_disk":
		undo = of(&n.full, (*ip.Disk).SetFull, "full", "not full")
	case "skip_sync":
		undo = of(&n.skipSync, (*ip.Disk).SetSkipSync, "syncs are skipped", "syncs are carried out")
	case "tear_writes":
		undo = of(&n.tear, (*ip.Disk).SetTearWrites, "a crash tears writes", "a crash tears no writes")
	case "slow_disk":
		undo, err = n.slowDisk.multiply(factor, func(product float64) error {
			emit("disk", fmt.Sprintf("times × %v", product))
			return n.host().Disk().SetSlow(product)
		})
	case "fail_sync":
		share := 1.0
		if f.Share != nil {
			share = float64(*f.Share)
		}
		undo, err = n.failSync.multiply(1-share, func(product float64) error {
			switch product {
			case 0:
				emit("disk", "syncs fail")
			case 1:
				emit("disk", "syncs succeed")
			default:
				emit("disk", fmt.Sprintf("%.4g%% of syncs fail", 100*(1-product)))
			}
			return n.host().Disk().SetSyncFailures(1 - product)
		})
	case "corrupt_disk":
		offset := -1
		if f.Byte != nil {
			offset = *f.Byte
		}
		if c, found := n.host().Disk().Corrupt(f.HitsFile, offset); found {
			emit("disk-corrupt", fmt.Sprintf("bit %d of byte %d of %s was flipped", c.Bit, c.Offset, c.File))
		} else {
			r.log.Warn("no stored file to corrupt", "host", n.name, "fault", f.Name)
		}
	default:
		return nil, false, nil
	}
	return undo, true, err
}
