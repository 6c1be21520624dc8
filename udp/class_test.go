package udp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/udp"
)

// A socket that asks for it learns with which ECN codepoint a datagram arrived, whatever the DSCP beside it is.
func TestECN(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		testlab.Run(t, testlab.Config{PreferIPv6: v6}, func(t *testing.T, l *testlab.Lab) {
			server, err := udp.Listen(l.B, ":9")
			require.NoError(t, err)
			defer server.Close()
			client, err := udp.Dial(l.Context(), l.A, "b:9")
			require.NoError(t, err)
			defer client.Close()
			receive := func() ip.ECN {
				n, from, ecn, err := server.ReadECN(make([]byte, 10))
				require.NoError(t, err)
				require.Equal(t, 2, n)
				require.Equal(t, client.LocalAddr().String(), from.String())
				return ecn
			}
			send := func(ecn ip.ECN) {
				require.NoError(t, client.SetTrafficClass(46, ecn))
				_, err := client.Write([]byte("hi"))
				require.NoError(t, err)
				l.Sleep(time.Millisecond)
			}
			send(ip.CE)
			require.Equal(t, ip.NotECT, receive(), "nobody asked for it")
			server.ReceiveECN()
			for _, ecn := range []ip.ECN{ip.NotECT, ip.ECT1, ip.ECT0, ip.CE} {
				send(ecn)
				require.Equal(t, ecn, receive())
			}
		})
	}
}
