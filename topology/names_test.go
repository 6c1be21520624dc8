package topology

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/topology/expect"
)

func TestReservedNamesHoldTheWordsOfExpectations(t *testing.T) {
	require.Subset(t, ReservedNames(), expect.Reserved())
	require.Subset(t, ReservedNames(), []string{"nodes", "links"})
}
