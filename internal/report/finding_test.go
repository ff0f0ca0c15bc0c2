package report

import (
	"bytes"
	"io"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"

	"github.com/valkeyfs/valkeyfs/scan"
)

// encoded is a finding as encoding/json writes it.
func encoded(f *scan.Finding) any {
	return struct {
		Type string `json:"type"`
		*scan.Finding
	}{"finding", f}
}

// TestFindingIsJSON: what is written without encoding/json is what it writes,
// also when another field is added.
func TestFindingIsJSON(t *testing.T) {
	texts := []string{"", "a", "key:1", `"quoted\"`, "line\nend\t\r\b\f", "\x00\x1b[31m\x7f", "\xff\xfe", "é€🙂", "\u202e\u2028\u2029", "<a&b>'", "\U000e0001", "\u00a0"}
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string { return texts[r.IntN(len(texts))] }
	fill := func(v reflect.Value, name string) {
		switch v.Interface().(type) {
		case scan.Category, scan.Severity, scan.Confidence, scan.Where:
			v.SetUint(uint64(r.IntN(16)))
			return
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString(text())
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int32, reflect.Int64:
			v.SetInt(int64(int32(r.Uint32())))
		case reflect.Pointer:
			n := r.Int64() - r.Int64()
			v.Set(reflect.ValueOf(&n))
		case reflect.Slice:
			list := []string{}
			for range r.IntN(4) {
				list = append(list, text())
			}
			v.Set(reflect.ValueOf(list))
		case reflect.Map:
			m := map[string]string{}
			for i := range r.IntN(12) {
				m[text()+strconv.Itoa(i)] = text()
			}
			v.Set(reflect.ValueOf(m))
		default:
			t.Fatalf("%s is a %s: tell how it is written", name, v.Kind())
		}
	}
	check := func(f *scan.Finding) {
		t.Helper()
		var want, got bytes.Buffer
		if err := NewLines(&want).Line(encoded(f)); err != nil {
			t.Fatal(err)
		}
		if err := NewLines(&got).Finding(f); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Fatalf("written\n%sinstead of\n%s", &got, &want)
		}
	}
	check(new(scan.Finding))
	fields := reflect.TypeFor[scan.Finding]()
	for range 2000 {
		f := new(scan.Finding)
		for i := range fields.NumField() {
			if fields.Field(i).IsExported() && r.IntN(3) > 0 {
				fill(reflect.ValueOf(f).Elem().Field(i), fields.Field(i).Name)
			}
		}
		check(f)
	}
}

// sessionFinding is a finding as there are most of.
func sessionFinding() *scan.Finding {
	return &scan.Finding{
		Rule: "session", Category: scan.Session, Severity: scan.High, Confidence: scan.Likely, Source: "/var/lib/redis/dump.rdb", Offset: 4096, Length: 512, RecordOffset: 4080,
		Key: "session:****d6e2", KeyType: "string", Encoding: "raw", Chain: []string{}, Secret: "****d6e2", ID: "65e0146cfdf5836f4d768d794d0287e3",
		Fingerprint: "05188faf57603b30da5312f64f3d472b", State: "live", Framework: "custom",
		Identity: map[string]string{"user_id": "**** (1-7)", "email": "**** (24-31)", "ip": "**** (8-11)", "roles": "user"},
	}
}

func BenchmarkFinding(b *testing.B) {
	l, f := NewLines(io.Discard), sessionFinding()
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Finding(f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPattern(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Pattern("session:****d6e2")
	}
}
