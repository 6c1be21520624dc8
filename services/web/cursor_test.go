package web

import (
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPageTokens(t *testing.T) {
	for _, after := range []int{0, 1, 20, 1 << 30} {
		found, err := readToken(pageToken(after), 1<<31)
		require.NoError(t, err)
		require.Equal(t, after, found)
	}
	_, err := readToken(pageToken(101), 100)
	require.Error(t, err)
}

// Whatever a client asks for, it gets an error or a window within the limits, and a token is one that the server would give.
func FuzzReadWindow(f *testing.F) {
	f.Add("limit=10&offset=20")
	f.Add("page_token=" + pageToken(20))
	f.Add("limit=%31&limit=2")
	f.Add("offset=&page_token=")
	f.Fuzz(func(t *testing.T, query string) {
		w, err := readWindow(query, 1000, 20, 100)
		if err != nil {
			return
		}
		require.True(t, w.limit >= 1 && w.limit <= 100 && w.offset >= 0)
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		if token := values.Get("page_token"); token != "" {
			require.Equal(t, pageToken(w.offset), token)
		}
		if offset := values.Get("offset"); offset != "" {
			require.Equal(t, strconv.Itoa(w.offset), offset)
		}
	})
}
