package pages

import (
	"encoding/json"
	"errors"
	"fmt"
)

// page is what a client needs of a page.
type page struct {
	IDs   []string // as they are written in JSON
	Total int
	Next  string
	Token string
}

// last says that there is no page behind it.
func (p *page) last() bool { return len(p.IDs) == 0 || p.Next == "" && p.Token == "" }

// parsePage reads a page.
func parsePage(text []byte) (p page, err error) {
	var body struct {
		Items []struct {
			ID json.RawMessage `json:"id"`
		} `json:"items"`
		Total *int   `json:"total"`
		Next  string `json:"next"`
		Token string `json:"next_page_token"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return page{}, err
	}
	if body.Items == nil || body.Total == nil || *body.Total < 0 {
		return page{}, errors.New("want an object with items and their total")
	}
	p = page{Total: *body.Total, Next: body.Next, Token: body.Token}
	for _, item := range body.Items {
		if len(item.ID) == 0 || item.ID[0] != '"' && item.ID[0] != '-' && (item.ID[0] < '0' || item.ID[0] > '9') {
			return page{}, fmt.Errorf("an item's id is %q: want a number or a text", item.ID)
		}
		p.IDs = append(p.IDs, string(item.ID))
	}
	return p, nil
}
