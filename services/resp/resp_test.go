package resp_test

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services/resp"
)

var limits = resp.RequestLimits{String: 1000, Total: 2000}

func read(text string) ([][]byte, error) {
	return resp.ReadRequest(bufio.NewReader(strings.NewReader(text)), limits)
}

func TestRequests(t *testing.T) {
	for text, want := range map[string][]string{
		"*2\r\n$3\r\nGET\r\n$0\r\n\r\n":    {"GET", ""},
		"PING\r\n":                         {"PING"},
		"  set  a\t\"b \\n\\x41\\\"\"  \n": {"set", "a", "b \nA\""},
		"set 'it\\'s \\n' x\r\n":           {"set", "it's \\n", "x"},
		"\r\n":                             nil,
		"*0\r\n":                           nil,
		"*-1\r\n":                          nil,
		"*1\r\n$4\r\n\r\n\x00a\r\n":        {"\r\n\x00a"},
	} {
		got, err := read(text)
		require.NoError(t, err)
		require.Len(t, got, len(want), "%q", text)
		for i := range want {
			require.Equal(t, want[i], string(got[i]))
		}
	}
	for text, want := range map[string]string{
		"*a\r\n":          "Protocol error: invalid multibulk length",
		"*+1\r\n":         "Protocol error: invalid multibulk length",
		"*1\r\n\r\n":      "Protocol error: expected '$', got '.'",
		"*1\r\n$1001\r\n": "Protocol error: invalid bulk length",
		"*1\r\n$1\r\nabc": "Protocol error: invalid bulk length",
		"'a'b\r\n":        "Protocol error: unbalanced quotes in request",
		"*3\r\n$900\r\n" + strings.Repeat("x", 900) + "\r\n$900\r\n" + strings.Repeat("x", 900) + "\r\n$900\r\n": "Protocol error: request too large",
	} {
		_, err := read(text)
		require.EqualError(t, err, want, "%.20q", text)
		require.True(t, resp.IsProtocol(err))
	}
	for _, text := range []string{"*1\r\n", "*1", "*1\r\n$3\r\nab", "*1\r\n$3\r\nabc", "get"} {
		_, err := read(text)
		require.Equal(t, io.ErrUnexpectedEOF, err, "%q", text)
	}
	_, err := read("")
	require.Equal(t, io.EOF, err)
}

// A request that is announced to be large takes no memory until it comes.
func TestAnnouncedOnly(t *testing.T) {
	large := resp.RequestLimits{String: 1 << 40, Total: 1 << 40}
	allocated := testing.AllocsPerRun(10, func() {
		_, err := resp.ReadRequest(bufio.NewReader(strings.NewReader("*1048576\r\n$999999999999\r\nabc")), large)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
	require.Less(t, allocated, 50.)
}

func TestReplies(t *testing.T) {
	for _, r := range []struct {
		reply      resp.Reply
		two, three string
	}{
		{resp.Reply{Kind: resp.Null}, "$-1\r\n", "_\r\n"},
		{resp.Reply{Kind: resp.Map, List: []resp.Reply{{Kind: resp.Bulk, Text: []byte("a")}, {Kind: resp.Integer, Integer: -1}}},
			"*2\r\n$1\r\na\r\n:-1\r\n", "%1\r\n$1\r\na\r\n:-1\r\n"},
		{resp.Reply{Kind: resp.Simple, Text: []byte("OK")}, "+OK\r\n", "+OK\r\n"},
		{resp.Reply{Kind: resp.Failure, Text: []byte("ERR no")}, "-ERR no\r\n", "-ERR no\r\n"},
		{resp.Reply{Kind: resp.Array}, "*0\r\n", "*0\r\n"},
	} {
		require.Equal(t, r.two, string(resp.AppendReply(nil, r.reply, false)))
		b := resp.AppendReply(nil, r.reply, true)
		require.Equal(t, r.three, string(b))
		back, err := resp.ReadReply(bufio.NewReader(bytes.NewReader(b)), 100)
		require.NoError(t, err)
		require.Equal(t, r.reply, back)
	}
	for _, text := range []string{"x\r\n", "\r\n", ":a\r\n", "$-2\r\n", "$101\r\n", "%-1\r\n", "_x\r\n", strings.Repeat("*1\r\n", 10)} {
		_, err := resp.ReadReply(bufio.NewReader(strings.NewReader(text)), 100)
		require.True(t, resp.IsProtocol(err), "%q: %v", text, err)
	}
}

// What is read and written again is the same request.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\nGET\r\n$1\r\na\r\n"))
	f.Add([]byte("set \"a\\x00\" 'b'\r\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		args, err := resp.ReadRequest(bufio.NewReader(bytes.NewReader(sent)), limits)
		if err != nil {
			return
		}
		again, err := resp.ReadRequest(bufio.NewReader(bytes.NewReader(resp.AppendRequest(nil, args...))), resp.RequestLimits{String: 1 << 20, Total: 1 << 20})
		require.NoError(t, err)
		require.Equal(t, args, again)
	})
}

func FuzzReply(f *testing.F) {
	f.Add([]byte("*2\r\n$1\r\na\r\n:-1\r\n"))
	f.Add([]byte("%1\r\n+a\r\n_\r\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		r, err := resp.ReadReply(bufio.NewReader(bytes.NewReader(sent)), 100)
		if err != nil {
			return
		}
		again, err := resp.ReadReply(bufio.NewReader(bytes.NewReader(resp.AppendReply(nil, r, true))), 100)
		require.NoError(t, err)
		require.Equal(t, r.Kind, again.Kind)
		require.Equal(t, len(r.List), len(again.List))
	})
}
