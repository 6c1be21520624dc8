package pages

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a server sends, it is an error or a page whose items have ids.
func FuzzParsePage(f *testing.F) {
	f.Add([]byte(`{"items": [{"id": 1}, {"id": "a"}], "total": 2, "next": "/x", "next_page_token": "y"}`))
	f.Add([]byte(`{"items": [{"id": {}}], "total": 2}`))
	f.Add([]byte(`{"items": null, "total": 1e3}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePage(text)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, p.Total, 0)
		for _, id := range p.IDs {
			require.NotEmpty(t, id)
		}
	})
}
