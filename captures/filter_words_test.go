package captures

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The comment at Filter has the forms and meanings of the table, in its order and no others.
func TestFilterDocumentation(t *testing.T) {
	file, err := parser.ParseFile(gotoken.NewFileSet(), "filter.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var documented, want []string
	for _, d := range file.Decls {
		if d, ok := d.(*ast.GenDecl); ok && strings.HasPrefix(d.Doc.Text(), "Filter chooses") {
			for line := range strings.Lines(d.Doc.Text()) {
				if strings.HasPrefix(line, "\t") {
					documented = append(documented, strings.Fields(line)...)
				}
			}
		}
	}
	for _, w := range FilterWords() {
		require.NotEmpty(t, w.Form)
		require.NotEmpty(t, w.Meaning)
		want = append(want, strings.Fields(w.Form+" "+w.Meaning)...)
	}
	require.Equal(t, strings.Join(want, " "), strings.Join(documented, " "))
}

// Each form of the table can be read, with its capitals filled in.
func TestFilterWordsAreRead(t *testing.T) {
	for _, w := range FilterWords() {
		for form := range strings.SplitSeq(w.Form, ", ") {
			var words []string
			for word := range strings.FieldsSeq(form) {
				if filled, ok := map[string]string{
					"X": "client", "P": "80-90", "D": "ef", "E": "ce", "F": "tcp", "G": "udp", "A,B": "syn,ack", "TYPE": "echo",
					"RECORD": "alert", "MESSAGE": "finished",
				}[word]; ok {
					word = filled
				}
				if word == "N" {
					word = "100"
					if words[0] == "net" {
						word = "10.0.0.0/8"
					}
				}
				words = append(words, word)
			}
			_, err := ParseFilter(strings.Join(words, " "), addressesOf)
			require.NoError(t, err, form)
		}
	}
}

// All words that the longer forms list in their meanings are words of the language.
func TestFilterWordsOfMeanings(t *testing.T) {
	meanings := map[string]string{}
	for _, w := range FilterWords() {
		meanings[w.Form] = w.Meaning
	}
	for form, words := range map[string][]string{
		"icmp TYPE": icmpKinds, "ecn E": ecnWords, "flags A,B": flagWords, "tls RECORD": wordsOf(tlsRecordTypes),
		"tls MESSAGE": wordsOf(tlsMessageTypes),
	} {
		for _, word := range words {
			require.Contains(t, strings.FieldsFunc(meanings[form], func(r rune) bool { return r == ' ' || r == ',' }), word, form)
		}
	}
}
