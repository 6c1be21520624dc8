package cdn_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/services/cdn"
)

func TestSignatures(t *testing.T) {
	until := epoch.Add(time.Minute)
	good := cdn.Sign("key", "/video/1?quality=hd&x", until)
	// printf '%s' '/video/1?quality=hd&x&expires=946684860' | openssl dgst -sha256 -hmac key
	require.Equal(t, "/video/1?quality=hd&x&expires=946684860&signature=c0a7a95ab5e658db9444622f395b76ce05bb0d97ae113fd47c957cd387b1d619", good)
	plain := cdn.Sign("key", "/video/1", until)
	for _, c := range []struct {
		name, target string
		now          time.Time
		query        string
		err          error
	}{
		{"good", good, epoch, "quality=hd&x", nil},
		{"good until the last second", good, until.Add(-time.Nanosecond), "quality=hd&x", nil},
		{"no other parameters", plain, epoch, "", nil},
		{"over", good, until, "", cdn.ErrExpired},
		{"none", "/video/1", epoch, "", cdn.ErrUnsigned},
		{"not the last parameter", plain + "&x=1", epoch, "", cdn.ErrUnsigned},
		{"another path", strings.Replace(plain, "video/1", "video/2", 1), epoch, "", cdn.ErrSignature},
		{"another query", strings.Replace(good, "hd", "4k", 1), epoch, "", cdn.ErrSignature},
		{"longer", strings.Replace(plain, "946684860", "946684861", 1), until, "", cdn.ErrSignature},
		{"one digit", plain[:len(plain)-1] + "x", epoch, "", cdn.ErrSignature},
		{"short", plain[:len(plain)-2], epoch, "", cdn.ErrSignature},
		{"empty", "/video/1?signature=", epoch, "", cdn.ErrSignature},
		{"capitals", strings.ToUpper(plain), epoch, "", cdn.ErrUnsigned},
		{"another key", cdn.Sign("other", "/video/1", until), epoch, "", cdn.ErrSignature},
		{"two ends", cdn.Sign("key", "/video/1?expires=99999999999", until), epoch, "", cdn.ErrSignature},
	} {
		query, err := cdn.Verify("key", c.target, c.now)
		require.Equal(t, c.err, err, c.name)
		require.Equal(t, c.query, query, c.name)
	}
}

// FuzzVerify checks that nothing passes that the key's owner hasn't signed, and that what passes comes back as it was.
func FuzzVerify(f *testing.F) {
	for _, s := range []string{"/", "/a?b", "/a?signature=", "/a?expires=1&signature=00", "?&&signature=", cdn.Sign("other", "/a?b=c", epoch)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if query, err := cdn.Verify("key", target, epoch); err == nil {
			t.Fatalf("%q passes with %q", target, query)
		}
		path, query, asked := strings.Cut(target, "?")
		if asked && query == "" || strings.Contains("&"+query, "&expires=") {
			return // the first loses its question mark, and the second has another end
		}
		again, err := cdn.Verify("key", cdn.Sign("key", path+strings.Repeat("?", len(query)/max(len(query), 1))+query, epoch.Add(time.Second)), epoch)
		if err != nil || again != query {
			t.Fatalf("%q: %q, %v", target, again, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	target := cdn.Sign("key", "/video/1?quality=hd", epoch.Add(time.Minute))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cdn.Verify("key", target, epoch); err != nil {
			b.Fatal(err)
		}
	}
}
