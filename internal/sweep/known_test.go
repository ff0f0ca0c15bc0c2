package sweep

import (
	"bytes"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

func numbered(n string) *scan.Finding {
	return &scan.Finding{Fingerprint: strings.Repeat(n, 32), ID: strings.Repeat("e"+n, 16), Rule: "r", Key: "a key", Secret: "a secret"}
}

func TestKnown(t *testing.T) {
	var b bytes.Buffer
	w, err := NewBaselineWriter(&b, "00ff")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(numbered("1")); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "a key") || strings.Contains(b.String(), "a secret") {
		t.Error("a baseline holds more than fingerprints")
	}
	k := &Known{}
	if err := k.Baseline(bytes.NewReader(b.Bytes()), "00ff"); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer // a report is a baseline, too
	r := report.NewJSONL(&out)
	r.Run(&report.Run{KeyID: "00ff"})
	r.Finding(numbered("2"))
	r.Summary(&report.Summary{})
	if err := k.Baseline(&out, "00ff"); err != nil {
		t.Fatal(err)
	}
	if err := k.Ignore(strings.NewReader("# known\n\n" + strings.Repeat("3", 32) + " # ours\n id: " + strings.Repeat("e4", 16) + "\r\n")); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[string]report.Suppression{"1": report.Baselined, "2": report.Baselined, "3": report.Ignored, "4": report.Ignored, "5": ""} {
		if got := k.Why(numbered(n)); got != want {
			t.Errorf("finding %s is %q, want %q", n, got, want)
		}
	}
	var none *Known
	if none.Why(numbered("1")) != "" || new(Known).Why(numbered("0")) != "" {
		t.Error("nothing knows something")
	}
	for _, bad := range []string{"", "not JSON\n", `{"type":"finding","fingerprint":"12"}`, `{"type":"baseline","id_key_id":"other"}`,
		`{"type":"finding","fingerprint":"` + strings.Repeat("1", 32) + `"}`} {
		if new(Known).Baseline(strings.NewReader(bad), "00ff") == nil {
			t.Errorf("a baseline: %s", bad)
		}
	}
	for _, bad := range []string{"12\n", "id: xyz\n", strings.Repeat("g", 32)} {
		if new(Known).Ignore(strings.NewReader(bad)) == nil {
			t.Errorf("an ignore list: %s", bad)
		}
	}
}

func FuzzKnown(f *testing.F) {
	f.Add("{\"type\":\"baseline\",\"id_key_id\":\"00ff\"}\n{\"type\":\"finding\",\"fingerprint\":\"" + strings.Repeat("1", 32) + "\"}\n")
	f.Add("id:" + strings.Repeat("e4", 16) + "\n# comment\n")
	f.Fuzz(func(t *testing.T, text string) {
		k := &Known{}
		_ = k.Baseline(strings.NewReader(text), "00ff")
		_ = k.Ignore(strings.NewReader(text))
		k.Why(numbered("1"))
	})
}
