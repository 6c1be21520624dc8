package figures

import "netlab/units"

// Share returns part of whole as a share, or nil when whole is 0.
func Share(part, whole uint64) *units.Probability {
	if whole == 0 {
		return nil
	}
	p := units.Probability(float64(part) / float64(whole))
	return &p
}

// Rate returns the bit rate of so many bytes in so long a time, rounded down; nil when the time is not positive, or so short
// that the rate does not fit.
func Rate(bytes uint64, in units.Duration) *units.BitRate {
	if in <= 0 {
		return nil
	}
	v := wide(0, bytes)
	v.Mul(v, wide(0, 8e9))
	v.Quo(v, wide(0, uint64(in)))
	if !v.IsInt64() {
		return nil
	}
	r := units.BitRate(v.Int64())
	return &r
}

// Duration returns a pointer to d, for results.
func Duration[T ~int64](d T) *units.Duration {
	u := units.Duration(d)
	return &u
}
