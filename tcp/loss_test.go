package tcp_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
)

// segmentOf decodes the TCP segment in a frame, or returns nil.
func segmentOf(f *netem.Frame) *layers.TCP {
	tcp, _ := gopacket.NewPacket(f.Data, layers.LayerTypeEthernet, gopacket.Default).Layer(layers.LayerTypeTCP).(*layers.TCP)
	return tcp
}

// On a connection that stays open until all is acknowledged, one lost data segment is resent exactly once, whichever it is.
func TestOneLossIsOneRetransmission(t *testing.T) {
	const segments = 60
	data := bytes.Repeat([]byte("0123456789"), segments*142) // 1420 bytes make a segment
	for _, noRACK := range []bool{false, true} {
		for _, v6 := range []bool{false, true} {
			if v6 && testing.Short() {
				continue
			}
			for lost := range segments {
				t.Run(fmt.Sprintf("rack %v, IPv6 %v, segment %d", !noRACK, v6, lost), func(t *testing.T) {
					config := testlab.Config{Forward: testlab.Wire(50*time.Millisecond, 100e6), PreferIPv6: v6, TCP: ip.TCPConfig{NoRACK: noRACK}}
					testlab.Run(t, config, func(t *testing.T, l *testlab.Lab) {
						_, b := l.Links[0].Ports()
						seen := 0
						b.Intercept(func(_ time.Duration, f *netem.Frame) bool {
							if s := segmentOf(f); s != nil && len(s.Payload) > 0 {
								seen++
								return seen != lost+1
							}
							return true
						})
						c1, c2, err := pipe(l.A, l.B)
						require.NoError(t, err)
						_, err = c1.Write(data)
						require.NoError(t, err)
						got := make([]byte, len(data))
						_, err = io.ReadFull(c2, got)
						require.NoError(t, err)
						require.True(t, bytes.Equal(data, got))
						l.Sleep(5 * time.Second)
						require.Greater(t, seen, lost)
						require.EqualValues(t, 1, l.A.Stats().TCP.Retransmits)
						require.EqualValues(t, 1, c1.Info().Retransmits)
						require.Equal(t, "ESTABLISHED", c1.Info().State)
						c1.Close()
						c2.Close()
					})
				})
			}
		}
	}
}
