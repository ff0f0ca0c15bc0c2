package cli

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// TestRedactedText: what a placeholder looks like depends on what stands beside it.
// Text in which one looks like a password has more replaced of the keys that it stands
// in, of those alone, and is written.
func TestRedactedText(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	dir := t.TempDir()
	password := "Gr0nd" + "!7Kjzq=08"
	coded := base64.StdEncoding.EncodeToString([]byte(`{"smtp_pass":"` + password + `","port":587}`))
	log, key := redactable(t, dir, [][]string{
		{"SET", "before", "nothing"}, {"HSET", "user:5", "smtp_pass", coded, "id", "9"}, {"SET", "between", "nothing"},
		{"SET", "conf", "password=" + password + "x\x00\xfe"}, {"SET", "behind", "nothing"}, {"DEL", "absent"},
	})
	for _, format := range []string{"csv", "json", "jsonl"} {
		var stdout, stderr bytes.Buffer
		if status := Main([]string{"export", log, "--redact", "--id-key", key, "--format", format}, strings.NewReader(""), &stdout, &stderr); status != 0 {
			t.Errorf("%s: status %d: %s", format, status, stderr.String())
			continue
		}
		out := stdout.String()
		for _, p := range []string{password, coded} {
			if strings.Contains(out, p) {
				t.Errorf("%s: a secret is shown", format)
			}
		}
		if n := strings.Count(out, "nothing"); n != 3 {
			t.Errorf("%s: %d values that hold no secret, want 3", format, n)
		}
		if raised := strings.Contains(stderr.String(), "whole strings are replaced in "); raised != (format != "jsonl") {
			t.Errorf("%s: %s", format, stderr.String())
		}
		result := filepath.Join(dir, "out."+format)
		if err := os.WriteFile(result, stdout.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if status := Main([]string{"scan", result, "-q"}, strings.NewReader(""), &stdout, &stderr); status != 0 {
			t.Errorf("%s: something is found in the result", format)
		}
	}
}

// redactable is a log of these commands, and a key for placeholders.
func redactable(t *testing.T, dir string, commands [][]string) (log, key string) {
	t.Helper()
	var data strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&data, "*%d\r\n", len(c))
		for _, a := range c {
			fmt.Fprintf(&data, "$%d\r\n%s\r\n", len(a), a)
		}
	}
	log, key = filepath.Join(dir, "appendonly.aof"), filepath.Join(dir, "k")
	for name, data := range map[string]string{log: data.String(), key: strings.Repeat("11", 32) + "\n"} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return log, key
}

// TestRedactedEncodings: a secret that some key gives away does not stay in another,
// where no rule would find it, in any form that scan opens; and what is encoded there
// decodes afterwards.
func TestRedactedEncodings(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	password := "Mv!7hafen" + "#Deich"
	text := "the old one was " + password + " until May"
	pack := func(w func(io.Writer) io.WriteCloser) func(string) string {
		return func(s string) string {
			var b strings.Builder
			z := w(&b)
			_, _ = io.WriteString(z, s)
			_ = z.Close()
			return b.String()
		}
	}
	unpack := func(r func(io.Reader) (io.ReadCloser, error)) func(string) (string, error) {
		return func(s string) (string, error) {
			z, err := r(strings.NewReader(s))
			if err != nil {
				return "", err
			}
			p, err := io.ReadAll(z)
			return string(p), err
		}
	}
	zipped := pack(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	unzipped := unpack(func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) })
	stored := pack(func(w io.Writer) io.WriteCloser { z, _ := zlib.NewWriterLevel(w, zlib.NoCompression); return z })
	base := base64.StdEncoding.EncodeToString
	unbase := func(s string) (string, error) { p, err := base64.StdEncoding.DecodeString(s); return string(p), err }
	wide := func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") + "\x00" }
	narrow := func(s string) (string, error) { return strings.ReplaceAll(s, "\x00", ""), nil }
	behind := func(head string, decode func(string) (string, error)) func(string) (string, error) {
		return func(s string) (string, error) {
			s, ok := strings.CutPrefix(s, head)
			t, err := decode(s)
			if !ok {
				err = errors.New("the head is another")
			}
			return t, err
		}
	}
	block := func(s string) string {
		out := make([]byte, lz4.CompressBlockBound(len(s)))
		n, _ := lz4.CompressBlock([]byte(s), out, nil)
		return string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + string(out[:n])
	}
	for name, c := range map[string]struct {
		encode func(string) string
		decode func(string) (string, error) // nil: the value is replaced as a whole
	}{
		"base64":             {func(s string) string { return base([]byte(s)) }, unbase},
		"gzip":               {zipped, unzipped},
		"zlib, stored":       {stored, unpack(zlib.NewReader)},
		"gzip behind base64": {func(s string) string { return base([]byte(zipped(s))) }, func(s string) (string, error) { s, err := unbase(s); t, e := unzipped(s); return t, cmp.Or(err, e) }},
		"hexadecimal":        {func(s string) string { return hex.EncodeToString([]byte(s)) }, func(s string) (string, error) { p, err := hex.DecodeString(s); return string(p), err }},
		"percent":            {url.PathEscape, func(s string) (string, error) { return url.PathUnescape(s) }},
		"JSON": {func(s string) string { p, _ := json.Marshal("\n" + s); return string(p) }, func(s string) (string, error) {
			var v string
			err := json.Unmarshal([]byte(s), &v)
			return strings.TrimPrefix(v, "\n"), err
		}},
		"zstd": {pack(func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z }), unpack(func(r io.Reader) (io.ReadCloser, error) {
			z, err := zstd.NewReader(r)
			return z.IOReadCloser(), err
		})},
		"lz4":                            {pack(func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }), unpack(func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(lz4.NewReader(r)), nil })},
		"brotli":                         {pack(func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }), unpack(func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(brotli.NewReader(r)), nil })},
		"deflate":                        {pack(func(w io.Writer) io.WriteCloser { z, _ := flate.NewWriter(w, 6); return z }), unpack(func(r io.Reader) (io.ReadCloser, error) { return flate.NewReader(r), nil })},
		"snappy":                         {pack(func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) }), unpack(func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(snappy.NewReader(r)), nil })},
		"lz4, a block":                   {func(s string) string { return block(s + strings.Repeat(" and on", 40)) }, nil},
		"gzip behind a head":             {func(s string) string { return "gz:" + zipped(s) }, nil},
		"gzip, cut":                      {func(s string) string { return zipped(s)[:len(zipped(s))-6] }, nil},
		"base64 behind a name":           {func(s string) string { return "data=" + base([]byte(s)) }, behind("data=", unbase)},
		"base64 behind letters":          {func(s string) string { return "to" + base([]byte(s)) }, behind("to", unbase)},
		"base64 in lines":                {func(s string) string { return base([]byte(s))[:20] + "\r\n" + base([]byte(s))[20:] }, unbase},
		"base32":                         {func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) }, func(s string) (string, error) { p, err := base32.StdEncoding.DecodeString(s); return string(p), err }},
		"hexadecimal, odd":               {func(s string) string { return "a" + hex.EncodeToString([]byte(s)) }, behind("a", func(s string) (string, error) { p, err := hex.DecodeString(s); return string(p), err })},
		"backslashes":                    {func(s string) string { return strings.ReplaceAll(s, "!", `\x21`) }, func(s string) (string, error) { return strings.ReplaceAll(s, `\x21`, "!"), nil }},
		"UTF-16":                         {wide, narrow},
		"UTF-16, turned":                 {func(s string) string { return "\x00" + strings.TrimSuffix(wide(s), "\x00") }, narrow},
		"UTF-16 in a pickle that is cut": {func(s string) string { return "\x80\x02}(X\x04abc" + wide(s) }, behind("\x80\x02}(X\x04abc", narrow)},
		"entities":                       {func(s string) string { return strings.ReplaceAll(s, "!", "&#33;") }, func(s string) (string, error) { return html.UnescapeString(s), nil }},
		"quoted-printable":               {func(s string) string { return strings.ReplaceAll(s, "#", "=23") }, func(s string) (string, error) { return strings.ReplaceAll(s, "=23", "#"), nil }},
	} {
		log, key := redactable(t, t.TempDir(), [][]string{{"HSET", "h", "password", password}, {"SET", "k", c.encode(text)}, {"HSET", "f", c.encode(text), "1"}})
		var stdout, stderr bytes.Buffer
		if status := Main([]string{"export", log, "--redact", "--id-key", key}, strings.NewReader(""), &stdout, &stderr); status != 0 {
			t.Errorf("%s: status %d: %s", name, status, stderr.String())
			continue
		}
		var value, field any
		for d := json.NewDecoder(&stdout); d.More(); {
			var o struct {
				Key   string
				Value any
			}
			if err := d.Decode(&o); err != nil {
				t.Fatal(err)
			}
			switch o.Key {
			case "k":
				value = o.Value
			case "f":
				field = o.Value
			}
		}
		got := plainBytes(t, value)
		if c.decode == nil {
			if len(got) != len(c.encode(text)) || strings.Contains(got, c.encode(text)[10:16]) {
				t.Errorf("%s: became %q", name, got)
			}
			continue
		}
		decoded, err := c.decode(got)
		if err != nil || !strings.HasPrefix(decoded, "the old one was ") || !strings.HasSuffix(decoded, " until May") || strings.Contains(decoded, password) || len(decoded) != len(text) {
			t.Errorf("%s: became %q, %v", name, decoded, err)
		}
		if b := fmt.Sprint(field); strings.Contains(b, c.encode(text)) {
			t.Errorf("%s: the name of a field stayed", name)
		}
	}
}

// plainBytes are those of a string in an export.
func plainBytes(t *testing.T, v any) string {
	t.Helper()
	if o, ok := v.(map[string]any); ok {
		p, err := base64.StdEncoding.DecodeString(fmt.Sprint(o["b64"]))
		if err != nil {
			t.Fatal(err)
		}
		return string(p)
	}
	return fmt.Sprint(v)
}

// TestRedactedLimit: secrets that do not fit in memory end it before anything is
// written, with what to do.
func TestRedactedLimit(t *testing.T) {
	servertest.Long(t) // the goroutines of a scan are those of TestRedactedText
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var commands [][]string
	for i := range 240_000 {
		commands = append(commands, []string{"HSET", fmt.Sprint("user:", i), "password", fmt.Sprintf("Gr%06dnd!7K", i)})
	}
	log, key := redactable(t, t.TempDir(), commands)
	var stdout, stderr bytes.Buffer
	status := Main([]string{"export", log, "--redact", "--id-key", key, "--max-mem", "32MiB"}, strings.NewReader(""), &stdout, &stderr)
	if status != exitError || stdout.Len() > 0 || !strings.Contains(stderr.String(), "more secrets than fit in 8 MiB") || !strings.Contains(stderr.String(), "--max-mem") {
		t.Errorf("status %d, %d bytes: %s", status, stdout.Len(), stderr.String())
	}
}

// TestRedactedLong: a secret does not stay in a value that is too long to be opened
// whole, in whichever part of it, nor in what such a value holds compressed.
func TestRedactedLong(t *testing.T) {
	servertest.Long(t) // package redact has long values with the race detector
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	password := "Mv!7hafen" + "#Deich"
	var noise strings.Builder
	var packed []byte
	for x, i := uint64(1), 0; noise.Len() < 9<<20; i++ {
		fmt.Fprintf(&noise, "nothing of note, %d: and so it goes on and on; ", i)
		for range 7 {
			x = x*6364136223846793005 + 1442695040888963407
			packed = binary.BigEndian.AppendUint64(packed, x)
		}
	}
	var zipped strings.Builder
	z, _ := gzip.NewWriterLevel(&zipped, gzip.BestSpeed)
	_, _ = z.Write(append(packed, password...))
	_ = z.Close()
	plain := "a " + password + " " + noise.String() + base64.StdEncoding.EncodeToString([]byte("it was "+password)) + " and " + password
	log, key := redactable(t, t.TempDir(), [][]string{{"HSET", "h", "password", password}, {"SET", "plain", plain}, {"SET", "zipped", zipped.String()}, {"SET", "behind", "stays"}})
	var stdout, stderr bytes.Buffer
	if status := Main([]string{"export", log, "--redact", "--id-key", key, "--format", "resp"}, strings.NewReader(""), &stdout, &stderr); status != 0 {
		t.Fatalf("status %d: %s", status, stderr.String())
	}
	out := stdout.String()
	for name, p := range map[string]string{"as it is": password, "in base64": base64.StdEncoding.EncodeToString([]byte("it was " + password))[12:24]} {
		if strings.Contains(out, p) {
			t.Errorf("the secret stays %s", name)
		}
	}
	if at := strings.Index(out, "\x1f\x8b\x08"); at >= 0 {
		if z, err := gzip.NewReader(strings.NewReader(out[at:])); err == nil {
			if text, _ := io.ReadAll(z); bytes.Contains(text, []byte(password)) {
				t.Error("the secret stays compressed")
			}
		}
	}
	if !strings.Contains(out, noise.String()) || !strings.Contains(out, "stays") {
		t.Error("what held no secret is another")
	}
}
