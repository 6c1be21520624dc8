package web_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services/web"
)

// page is a page of a collection as a client sees it.
type page struct {
	Items  []json.RawMessage `json:"items"`
	Total  int               `json:"total"`
	Offset int               `json:"offset"`
	Limit  int               `json:"limit"`
	Next   string            `json:"next"`
	Token  string            `json:"next_page_token"`
}

func (a *asker) page(path string) (p page) {
	response, text := a.do("GET", path, "")
	require.Equal(a.t, 200, response.StatusCode, text)
	require.Equal(a.t, "application/json", response.Header.Get("Content-Type"))
	require.NoError(a.t, json.Unmarshal([]byte(text), &p))
	return p
}

func TestCollection(t *testing.T) {
	with(t, handlers(map[string]web.Handler{
		"/items": {Handler: "collection", Items: 45, Versions: []string{"v1", "v2"}},
		"/plain": {Handler: "collection", Items: 3, PageSize: 2, MaxPageSize: 2},
	}), func(a *asker) {
		p := a.page("/v1/items")
		require.Len(t, p.Items, 20)
		require.Equal(t, 45, p.Total)
		require.JSONEq(t, `{"id": 1, "name": "item 1", "price": 8919}`, string(p.Items[0]))
		require.Equal(t, "/v1/items?limit=20&offset=20", p.Next)
		p = a.page(p.Next)
		require.JSONEq(t, `{"id": 21, "name": "item 21", "price": 5299}`, string(p.Items[0]))
		p = a.page("/v1/items?page_token=" + p.Token + "&limit=10")
		require.Len(t, p.Items, 5)
		require.Empty(t, p.Next+p.Token)
		p = a.page("/v2/items?offset=16&limit=1")
		require.JSONEq(t, `{"id": "item-17", "title": "Item 17", "price": {"amount": "96.23", "currency": "EUR"}}`, string(p.Items[0]))
		require.Empty(t, a.page("/v1/items?offset=1000").Items)
		require.Len(t, a.page("/plain").Items, 2)

		_, text := a.do("GET", "/v1/items/17", "")
		require.JSONEq(t, `{"id": 17, "name": "item 17", "price": 9623}`, text)
		for path, status := range map[string]int{
			"/v1/items/46": 404, "/v1/items/0": 404, "/v1/items/item-17": 404, "/v2/items/17": 404, "/v2/items/item-17": 200,
			"/v1/items?limit=0": 400, "/v1/items?limit=101": 400, "/v1/items?limit=x": 400, "/v1/items?limit=05": 400,
			"/v1/items?offset=-1": 400, "/v1/items?page_token=x": 400, "/v1/items?limit=1&limit=2": 400, "/v1/items?%zz": 400,
			"/v1/items?offset=1&page_token=" + a.page("/v1/items").Token: 400, "/plain?limit=3": 400,
		} {
			response, text := a.do("GET", path, "")
			require.Equal(t, status, response.StatusCode, path)
			if status >= 400 {
				var problem struct {
					Error struct {
						Status  int
						Message string
					}
				}
				require.NoError(t, json.Unmarshal([]byte(text), &problem))
				require.Equal(t, status, problem.Error.Status)
				require.NotEmpty(t, problem.Error.Message)
			}
		}
		response, _ := a.do("POST", "/v1/items", "{}")
		require.Equal(t, 405, response.StatusCode)
	})
}

// A stateful collection goes by what it remembers: of a cookie, or of an address if there is none.
func TestStatefulCollection(t *testing.T) {
	with(t, handlers(map[string]web.Handler{"/items": {Handler: "collection", Items: 25, Stateful: true}}), func(a *asker) {
		offsets := func(header ...string) (list []int) {
			for range 3 {
				response, text := a.do("GET", "/items?limit=10&offset=0", "", header...)
				require.Contains(t, response.Header.Get("Set-Cookie"), "session=")
				var p page
				require.NoError(t, json.Unmarshal([]byte(text), &p))
				list = append(list, p.Offset)
			}
			return list
		}
		require.Equal(t, []int{0, 10, 20}, offsets())
		require.Equal(t, []int{0, 10, 20}, offsets("Cookie", "session=from-another-server"))
		require.Equal(t, []int{0, 10, 20}, offsets()) // begins anew
	})
}
