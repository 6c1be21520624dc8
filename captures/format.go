package captures

import (
	"fmt"

	"netlab/units"
)

// Format is a file format for captures. The zero value is [Pcapng].
type Format uint8

const (
	// Pcapng keeps all that netlab knows of a packet.
	Pcapng Format = iota
	// Pcap is the older format, with nanosecond time stamps. It keeps time, length and bytes of a packet and nothing
	// else: no comments, directions, interfaces, names, secrets or statistics.
	Pcap
)

var formatNames = []string{Pcapng: "pcapng", Pcap: "pcap"}

// String returns "pcapng" or "pcap", which is the file name's extension too.
func (f Format) String() string {
	if int(f) >= len(formatNames) {
		return fmt.Sprintf("Format(%d)", uint8(f))
	}
	return formatNames[f]
}

// MarshalText returns the format's name.
func (f Format) MarshalText() ([]byte, error) {
	if int(f) >= len(formatNames) {
		return nil, fmt.Errorf("unknown capture format %d", uint8(f))
	}
	return []byte(f.String()), nil
}

// UnmarshalText accepts "pcapng" and "pcap".
func (f *Format) UnmarshalText(text []byte) error {
	for i, name := range formatNames {
		if name == string(text) {
			*f = Format(i)
			return nil
		}
	}
	if near := units.Suggest(string(text), formatNames); near != "" {
		return fmt.Errorf("%q is not a capture format; did you mean %s?", text, near)
	}
	return fmt.Errorf("%q is not a capture format: want pcapng or pcap", text)
}
