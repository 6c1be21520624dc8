package captures

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormat(t *testing.T) {
	for _, f := range []Format{Pcapng, Pcap} {
		text, err := f.MarshalText()
		require.NoError(t, err)
		var again Format
		require.NoError(t, again.UnmarshalText(text))
		require.Equal(t, f, again)
	}
	var f Format
	require.EqualError(t, f.UnmarshalText([]byte("pcapn")), `"pcapn" is not a capture format; did you mean pcap?`)
	require.EqualError(t, f.UnmarshalText([]byte("netflow")), `"netflow" is not a capture format: want pcapng or pcap`)
	_, err := Format(9).MarshalText()
	require.Error(t, err)
	require.Equal(t, "Format(9)", Format(9).String())
}
