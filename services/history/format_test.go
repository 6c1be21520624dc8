package history

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const head = `{"format":"netlab-history","version":1}` + "\n"

// What is written is read again.
func TestWriteParse(t *testing.T) {
	h := atomicHistory(7, 200, 3, 2)
	h.Workload, h.Name, h.Object, h.Model = "load", "lab", "register", "causal"
	h.Operations[3].Error = `a "quoted" <text>`
	h.Operations[len(h.Operations)-1].Completed = never
	var text bytes.Buffer
	require.NoError(t, h.Write(&text))
	require.True(t, strings.HasPrefix(text.String(),
		`{"format":"netlab-history","version":1,"workload":"load","name":"lab","kind":"register","model":"causal"}`+"\n"))
	require.Contains(t, text.String(), `"error":"a \"quoted\" <text>"`)
	again, err := Parse(&text, "x.jsonl")
	require.NoError(t, err)
	require.Equal(t, h, again)
}

func TestParseMistakes(t *testing.T) {
	read := func(fields string) string {
		return head + `{"index":0,"client":0,"host":"a","kind":"read","key":"x","invoked":1,"completed":2,"outcome":"ok"` + fields + "}\n"
	}
	second := `{"index":1,"client":0,"host":"a","kind":"write","key":"x","input":["1"],`
	for _, c := range []struct{ text, want string }{
		{"", `h.jsonl:1: found nothing, wanted the header of a history`},
		{"{}\n", `h.jsonl:1: found "{}", wanted a header with format "netlab-history"`},
		{`{"format":"netlab-history","version":9,"new":1}`, `h.jsonl:1: found version 9, wanted 1`},
		{`{"format":"netlab-history","version":1,"Name":"x"}`, `h.jsonl:1: found the field "Name", wanted one of format, version, workload, name, kind, model`},
		{`{"format":"netlab-history","version":1,"kind":"tree"}`, `h.jsonl:1: found kind "tree", wanted register, cas, counter, set, list, bank`},
		{`{"format":"netlab-history","version":1,"model":"best"}`, `h.jsonl:1: found model "best", wanted linearizable, `},
		{head + "[]\n", `h.jsonl:2: found "[]", wanted a JSON object`},
		{head + "\n", `h.jsonl:2: found "", wanted a JSON object`},
		{read(`,"size":1`), `h.jsonl:2: found the field "size", wanted one of index, client, `},
		{read(`,"index":0`), `h.jsonl:2: found the field "index" twice`},
		{read(`,"found":1`), `h.jsonl:2: found a number as "found", wanted bool`},
		{read(`} x {`), `h.jsonl:2: `},
		{read(`,"found":true`), `h.jsonl:2: found 0 outputs of a read with found true, wanted one where there was a value, else none`},
		{read(`,"input":["1"]`), `h.jsonl:2: found 1 inputs, wanted 0 for read`},
		{strings.Replace(read(""), `"read"`, `"peek"`, 1), `h.jsonl:2: found kind "peek", wanted read, write, `},
		{strings.Replace(read(""), `"ok"`, `"maybe"`, 1), `h.jsonl:2: found outcome "maybe", wanted ok, fail or unknown`},
		{strings.Replace(read(""), `"index":0`, `"index":1`, 1), `h.jsonl:2: found index 1, wanted 0`},
		{strings.Replace(read(""), `"client":0`, `"client":-1`, 1), `h.jsonl:2: found client -1, wanted 0 or more`},
		{strings.Replace(read(""), `"completed":2`, `"completed":0`, 1), `h.jsonl:2: completed at 0s, before it was invoked at 1ns`},
		{strings.Replace(read(""), `"key":"x"`, `"key":""`, 1), `h.jsonl:2: found no key, wanted one for read`},
		{strings.Replace(read(""), `"read"`, `"balances"`, 1), `h.jsonl:2: found key "x", wanted none for balances`},
		{strings.Replace(read(`,"output":["1.5"]`), `"read"`, `"count"`, 1), `h.jsonl:2: found "1.5", wanted a whole number`},
		{read("") + second + `"invoked":1,"completed":4,"outcome":"ok"}`, `h.jsonl:3: client 0 invoked it at 1ns, but its last operation ended at 2ns`},
		{read("") + second + `"invoked":0,"completed":4,"outcome":"ok"}`, `h.jsonl:3: invoked at 0s, before the operation in front of it at 1ns`},
	} {
		_, err := Parse(strings.NewReader(c.text), "h.jsonl")
		require.ErrorContains(t, err, c.want, c.text)
	}
}

// Whatever is read without an error is written as what is read again, and can be checked.
func FuzzParse(f *testing.F) {
	f.Add(head + `{"index":0,"client":0,"host":"a","kind":"read","key":"x","invoked":1,"completed":2,"outcome":"ok"}`)
	for _, text := range []string{
		"0 1-2 write x 1\n1 3-4 read x = 1\n1 5-6 read x =", "0 1-2 add s a\n1 3-4 members s = a final@b", "0 1-2 append l a\n1 3-4 list l =",
		"0 1- increment n 2\n1 3-4 count n = 1", "0 1-2 balances = a 1 b 2\n1 3-4 transfer a b 2", "0 1-2 cas x 1 2\n1 1-2 cas x 2 1 fail",
	} {
		var b bytes.Buffer
		require.NoError(f, told(f, text).Write(&b))
		f.Add(b.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := Parse(strings.NewReader(text), "fuzz")
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "fuzz:"), err.Error())
			return
		}
		var b bytes.Buffer
		require.NoError(t, h.Write(&b))
		again, err := Parse(&b, "again")
		require.NoError(t, err)
		require.Len(t, again.Operations, len(h.Operations))
		for _, m := range Models() {
			v := Check(h, m.Name, Options{MaxSteps: 2000})
			require.Contains(t, []string{Holds, Violated, Undecided}, v.Result)
			require.NotContains(t, v.SVG()+v.Text(), "NaN")
		}
		Summary(h)
	})
}

func TestRecorder(t *testing.T) {
	r := Recorder{Workload: "load", Model: "causal"}
	a := r.Invoke(Operation{Client: 1, Host: "b", Kind: Write, Key: "x", Input: []string{"1"}, Invoked: 5})
	b := r.Invoke(Operation{Client: 0, Host: "a", Kind: Read, Key: "x", Invoked: 5})
	r.Complete(b, 9, OK, []string{"1"}, true, "s1", "")
	c := r.Invoke(Operation{Client: 1, Kind: Write, Key: "x", Input: []string{"2"}, Invoked: 7, Server: "s2"}) // its host had crashed
	d := r.Invoke(Operation{Client: 2, Kind: Write, Key: "x", Input: []string{"3"}, Invoked: 8})
	r.Complete(d, 11, Fail, nil, false, "", "READONLY")
	require.Equal(t, []int{0, 1, 2, 3}, []int{a, b, c, d})
	require.Panics(t, func() { r.Complete(b, 10, OK, nil, false, "", "") })
	require.Panics(t, func() { r.Complete(4, 10, OK, nil, false, "", "") })

	h := r.History()
	require.NoError(t, h.Validate())
	require.Equal(t, Operation{Index: 0, Client: 0, Host: "a", Server: "s1", Kind: Read, Key: "x", Output: []string{"1"}, Found: true,
		Invoked: 5, Completed: 9, Outcome: OK}, h.Operations[0], "of the same instant the lower client comes first")
	require.Equal(t, []any{Unknown, time.Duration(7)}, []any{h.Operations[1].Outcome, h.Operations[1].Completed})
	require.Equal(t, []any{Unknown, never, "s2"}, []any{h.Operations[2].Outcome, h.Operations[2].Completed, h.Operations[2].Server})
	require.Equal(t, "READONLY", h.Operations[3].Error)
	r.SetEnd(20)
	require.Equal(t, time.Duration(20), r.History().Operations[2].Completed)

	s := Summary(h)
	require.Equal(t, Stats{Operations: 4, Counts: Counts{OK: 1, Fail: 1, Unknown: 2}, Availability: 0.25, Latency: 4,
		Kinds: map[Kind]Counts{Read: {OK: 1}, Write: {Fail: 1, Unknown: 2}}}, s)
}

// Texts are escaped, bars lie within the picture, and a long prefix is cut.
func TestPicture(t *testing.T) {
	h := told(t, "0 1-2 write <x> a&b\n1 3- write <x> 2\n2 5-6 read <x> =")
	h.Operations[2].Host = `"h"`
	v := Check(h, "linearizable", Options{})
	v.Prefix = h.Operations
	svg := v.SVG()
	require.Contains(t, svg, "write &lt;x&gt;=a&amp;b")
	require.Contains(t, svg, "&#34;h&#34;")
	require.NotContains(t, svg, "<x>")
	require.Contains(t, svg, "read &lt;x&gt; → nothing")
	require.Contains(t, Verdict{Model: "bank", Result: Holds}.SVG(), "bank: ok")

	// A long time in which nothing happens is drawn short.
	v = Verdict{Prefix: told(t, "0 1-2 write x 1\n1 3-4 write x 2\n1 9000-9001 read x = 1").Operations, Culprit: -1}
	svg = v.SVG()
	require.Contains(t, svg, "stroke-dasharray")
	for _, tick := range []string{">1<", ">4<", ">9000<", ">9001<"} {
		require.Contains(t, svg, tick)
	}

	long := atomicHistory(1, 100, 3, 1)
	v = Verdict{Model: "linearizable", Result: Violated, Prefix: long.Operations, Culprit: 4}
	require.Contains(t, v.SVG(), "40 operations earlier not shown")
	require.Equal(t, 1, strings.Count(v.Text(), "\n> "))
	require.Equal(t, 2+1+60+2, strings.Count(v.Text(), "\n"))
}
