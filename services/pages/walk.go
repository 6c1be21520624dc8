package pages

import (
	"bytes"
	"context"

	"netlab/services"
	"netlab/services/httpclient"
)

// walk is one walk through the collection.
type walk struct {
	config *Config
	env    *services.Env
	client *httpclient.Client
	tally  *tally

	seen  map[string]bool // ids, as they are written
	pages int
	text  bytes.Buffer
}

// run walks to the end, or to where it can't go on.
func (w *walk) run(ctx context.Context) {
	w.tally.update(func(t *tally) { t.result.Walks++ })
	offset, token := 0, ""
	for {
		asked := w.env.Elapsed()
		o := w.client.Read(ctx, w.config.address(offset, token), &w.text)
		if !o.Cut {
			w.env.Outcome(asked, o.OK())
		}
		if !w.count(&o) {
			return
		}
		p, err := parsePage(w.text.Bytes())
		if err != nil || w.config.Style == Token && p.Next != "" && p.Token == "" {
			w.env.Log.Debug("the page makes no sense", "error", err)
			w.tally.update(func(t *tally) { t.result.Invalid++ })
			return
		}
		w.pages++
		w.see(p)
		switch {
		case p.last():
			w.end(p)
			return
		case w.pages == w.config.Pages:
			w.tally.update(func(t *tally) { t.result.Invalid++ })
			return
		}
		offset, token = offset+len(p.IDs), p.Token
		if w.config.Pause > 0 && w.env.Sleep(ctx, w.config.Pause.Std()) != nil {
			w.tally.update(func(t *tally) { t.result.Pending++ })
			return
		}
	}
}

// count counts a request and says whether there is a page.
func (w *walk) count(o *httpclient.Outcome) bool {
	w.tally.update(func(t *tally) {
		switch {
		case o.Cut:
			t.result.Pending++
		case !o.OK():
			t.result.Failed++
			t.result.Errors.Count(o.Err)
		default:
			t.result.Pages++
			t.latency.Add(o.Total)
		}
	})
	return o.OK()
}

// see counts the items of a page.
func (w *walk) see(p page) {
	w.tally.update(func(t *tally) {
		for _, id := range p.IDs {
			if w.seen[id] {
				t.result.Duplicates++
				continue
			}
			w.seen[id] = true
			t.result.Items++
		}
	})
}

// end counts what a walk that came to its end did not see.
func (w *walk) end(p page) {
	w.tally.update(func(t *tally) {
		t.ended++
		if missing := p.Total - len(w.seen); missing > 0 {
			t.result.Missing += uint64(missing)
		}
	})
}
