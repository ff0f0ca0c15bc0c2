package source

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestStdin(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"rdb":      {snapshot("k", "v"), "  - k=v live\n- rdb\n"},
		"sealed":   {string(wrap(t, layerZstd, []byte(snapshot("k", "v")), nil)), "  - k=v live\n- rdb in zstd\n"},
		"aof":      {command("SET", "k", "v") + command("DEL", "k"), "  - k=v deleted\n- aof\n"},
		"text":     {"some words\n", "  - -=some words unknown\n- text\n"},
		"manifest": {"file a seq 1 type b\n", "  - -=file a seq 1 type b unknown\n- text\n"},
		"nothing":  {"", "  damage -@0 an empty file: unsupported format\n- empty skipped: empty\n"},
		"binary":   {"\x00\x01", "  damage -@0 start of the file: neither a snapshot nor a log, and no text: unsupported format\n- other skipped: no format that is read\n"},
	} {
		got := list(t, "", Options{Stdin: strings.NewReader(c.in), Resolve: true, Hash: true}, Stdin)
		if got != c.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, c.want)
		}
	}
}

// A stream that delivers nothing more does not keep the program from ending.
func TestStreamIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, w := io.Pipe()
	defer w.Close()
	in, err := New(ctx, []string{Stdin}, Options{Stdin: r, Hash: true})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if _, err := io.WriteString(w, snapshot("k", strings.Repeat("v", 100))[:60]); err != nil {
			t.Error(err)
		}
		cancel()
	}()
	for u, err := range in.Units(ctx) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			continue
		}
		var last error
		for _, err := range u.Events(ctx) {
			last = err
		}
		if last != nil && !errors.Is(last, context.Canceled) {
			t.Errorf("events end with %v", last)
		}
		u.Close(ctx)
	}
	if ctx.Err() == nil {
		t.Error("the stream ended by itself")
	}
}
