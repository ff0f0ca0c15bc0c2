package fleet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// coded is what findings become.
func coded(findings ...*scan.Finding) (b []byte) {
	c := &coder{}
	for _, f := range findings {
		b = c.finding(b, f)
	}
	return b
}

// decoded returns the findings and damages of records.
func decoded(b []byte) (findings []*scan.Finding, damages []*report.Damage, err error) {
	d := &decoder{in: bufio.NewReader(bytes.NewReader(b))}
	for {
		f, damage, err := d.next()
		switch {
		case err == io.EOF:
			return findings, damages, nil
		case err != nil:
			return findings, damages, err
		case f != nil:
			findings = append(findings, f)
		default:
			damages = append(damages, damage)
		}
	}
}

func sameFindings(t *testing.T, got, want []*scan.Finding) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d findings, not %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("finding %d is\n%+v, not\n%+v", i, got[i], want[i])
		}
	}
}

// Each field of a finding comes back, also one that is added to findings later.
func TestCoderHasEveryField(t *testing.T) {
	plain := reflect.TypeFor[scan.Finding]()
	var all []*scan.Finding
	for i := range plain.NumField() {
		if !plain.Field(i).IsExported() {
			continue
		}
		f := &scan.Finding{}
		switch v := reflect.ValueOf(f).Elem().Field(i); v.Kind() {
		case reflect.String:
			v.SetString("text")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int32, reflect.Int64:
			v.SetInt(-7)
		case reflect.Uint8:
			v.SetUint(1)
		case reflect.Slice:
			v.Set(reflect.ValueOf([]string{"a", "b"}))
		case reflect.Map:
			v.Set(reflect.ValueOf(map[string]string{"a": "b", "c": ""}))
		case reflect.Pointer:
			v.Set(reflect.ValueOf(new(int64)))
		default:
			t.Fatalf("%s is a %s", plain.Field(i).Name, v.Kind())
		}
		if reflect.ValueOf(f).Elem().IsZero() {
			t.Fatalf("%s is not set", plain.Field(i).Name)
		}
		all = append(all, f, &scan.Finding{})
	}
	got, _, err := decoded(coded(all...))
	if err != nil {
		t.Fatal(err)
	}
	sameFindings(t, got, all)
}

// randomFindings are some of few rules and keys, whose fields are as they were or not.
func randomFindings(r *rand.Rand, n int) (all []*scan.Finding) {
	text := func() string {
		return []string{"", "a", "session:****1f2e", "session:****99aa", "\xff\x00\n", "0123456789abcdef", "0123456789ABCDEF", "abc", strings.Repeat("long ", 60), strings.Repeat("long ", 60) + "x"}[r.IntN(10)]
	}
	texts := func() []string {
		switch r.IntN(4) {
		case 0:
			return nil
		case 1:
			return []string{}
		case 2:
			return []string{text()}
		}
		return []string{text(), text(), text()}
	}
	pairs := func() map[string]string {
		if r.IntN(3) == 0 {
			return nil
		}
		m := map[string]string{"user": text()}
		if r.IntN(2) == 0 {
			m[text()] = text()
		}
		return m
	}
	number := func() int64 { return []int64{0, 1, -1, 99, math.MaxInt64, math.MinInt64}[r.IntN(6)] }
	for range n {
		f := &scan.Finding{
			Rule: []string{"session", "jwt", "email", "another"}[r.IntN(4)], Category: scan.Category(r.IntN(3)), Severity: scan.Severity(r.IntN(3)), Confidence: scan.Confidence(r.IntN(3)),
			Source: text(), Offset: number(), Length: number(), RecordOffset: number(), DB: []int32{0, -1, 15, math.MaxInt32, math.MinInt32}[r.IntN(5)], Presumed: r.IntN(2) == 0,
			Key: text(), KeyB64: text(), KeyType: text(), Encoding: text(), Where: scan.Where(r.IntN(3)), Field: text(), FieldB64: text(), EntryID: text(),
			Chain: texts(), Secret: text(), ID: text(), Fingerprint: text(), State: text(), ExpiresAt: text(), WrittenAt: text(), TTLBasis: text(),
			Framework: text(), Identity: pairs(), Proof: pairs(), Technique: text(), Also: texts(),
		}
		if r.IntN(2) == 0 {
			f.Index = new(int64)
			*f.Index = number()
		}
		all = append(all, f)
	}
	return all
}

// Findings come back as they were, and the same findings are always the same records.
func TestCoder(t *testing.T) {
	for seed := range uint64(50) {
		all := randomFindings(rand.New(rand.NewPCG(seed, 1)), 200)
		b := coded(all...)
		got, _, err := decoded(b)
		if err != nil {
			t.Fatal(err)
		}
		sameFindings(t, got, all)
		if !bytes.Equal(b, coded(all...)) {
			t.Fatal("the same findings are other records")
		}
	}
}

// Damage comes back, too, between findings.
func TestCoderDamage(t *testing.T) {
	d := &report.Damage{Type: "damage", Source: "a.rdb", Offset: 9, Inner: new(int64), Length: 5, What: "a string", Reason: "unknown", DB: new(int32), Key: "k", More: 3}
	c := &coder{}
	f := randomFindings(rand.New(rand.NewPCG(1, 1)), 2)
	b, err := c.damage(c.finding(nil, f[0]), d)
	if err != nil {
		t.Fatal(err)
	}
	b = c.finding(b, f[1])
	got, damages, err := decoded(b)
	if err != nil || len(damages) != 1 || !reflect.DeepEqual(damages[0], d) {
		t.Fatalf("%+v, %v", damages, err)
	}
	sameFindings(t, got, f)
}

// sessions are findings as of sessions that an application keeps itself.
func sessions(n int) (all []*scan.Finding) {
	r := rand.New(rand.NewPCG(3, 3))
	hex := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte("0123456789abcdef"[r.IntN(16)])
		}
		return b.String()
	}
	for i := range n {
		key := "session:****" + hex(4)
		expires := time.UnixMilli(1765000000000 + int64(r.IntN(1e9))).UTC().Format("2006-01-02T15:04:05.999Z07:00")
		for _, rule := range []string{"session", "session-secret"} {
			f := &scan.Finding{
				Rule: rule, Category: scan.Session, Severity: scan.High, Confidence: scan.Likely, Source: "/backups/payments/dump.rdb", Offset: int64(1000*i + 100), Length: 32, RecordOffset: int64(1000 * i), Key: key, KeyType: "string", Encoding: "raw", Where: scan.WhereKey,
				Chain: []string{}, Secret: "****" + hex(4), ID: hex(32), Fingerprint: hex(32), State: "live", ExpiresAt: expires, TTLBasis: "key", Framework: "custom",
			}
			if rule == "session" {
				f.Identity = map[string]string{"csrf_token": "**** (32-63)", "email": []string{"**** (16-23)", "**** (24-31)"}[r.IntN(2)], "ip": "**** (8-11)", "roles": []string{"user", "user,editor"}[r.IntN(2)], "user_id": "**** (8-11)"}
			} else {
				f.Chain = []string{"lzf", "json:$.csrf"}
			}
			all = append(all, f)
		}
	}
	return all
}

// What is kept of a session takes few bytes beside its sums and its times.
func TestCoderIsShort(t *testing.T) {
	all := sessions(1000)
	if n := len(coded(all...)) / len(all); n > 72 {
		t.Errorf("%d bytes a finding", n)
	}
}

// What records cost, and what JSON does.
func BenchmarkCoder(b *testing.B) {
	all := sessions(10_000)
	size := 0
	b.Run("records", func(b *testing.B) {
		var record []byte
		for b.Loop() {
			c := &coder{}
			size = 0
			for _, f := range all {
				record = c.finding(record[:0], f)
				size += len(record)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/finding")
		b.ReportMetric(float64(size)/float64(len(all)), "B/finding")
	})
	b.Run("read", func(b *testing.B) {
		records := coded(all...)
		for b.Loop() {
			if _, _, err := decoded(records); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/finding")
	})
	b.Run("json", func(b *testing.B) {
		for b.Loop() {
			var out bytes.Buffer
			w := report.NewJSONL(&out)
			for _, f := range all {
				if err := w.Finding(f); err != nil {
					b.Fatal(err)
				}
			}
			size = out.Len()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/finding")
		b.ReportMetric(float64(size)/float64(len(all)), "B/finding")
	})
}

// Records that are cut off, or claim to be long, are errors, and take no more room than
// there is.
func TestCoderDamaged(t *testing.T) {
	b := coded(randomFindings(rand.New(rand.NewPCG(5, 5)), 1)...)
	for n := 1; n < len(b); n++ {
		if _, _, err := decoded(b[:n]); !errors.Is(err, errRecord) {
			t.Errorf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	long := []byte{damageRecord, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}
	d := &decoder{in: bufio.NewReader(bytes.NewReader(long))}
	if _, _, err := d.next(); !errors.Is(err, errRecord) || cap(d.buf) > 2*pieceSize {
		t.Errorf("%v, room for %d bytes", err, cap(d.buf))
	}
}

// What could not be read is not said to be damaged.
func TestCoderIsNotRead(t *testing.T) {
	broken := errors.New("the connection is closed")
	b := coded(randomFindings(rand.New(rand.NewPCG(5, 5)), 1)...)
	for n := range b {
		d := &decoder{in: bufio.NewReader(io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(broken)))}
		if _, _, err := d.next(); err != broken {
			t.Fatalf("behind %d of %d bytes: %v", n, len(b), err)
		}
	}
}

// Damage that has a key, and no database that it is in, is not as it was written: to say
// it would be a panic.
func TestCoderDamageOfNoDatabase(t *testing.T) {
	c := &coder{}
	b, err := c.damage(nil, &report.Damage{Type: "damage", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if _, damages, err := decoded(b); err != errRecord {
		t.Errorf("%v, %v", damages, err)
	}
}

// What a finding is of few is kept by its name, also where it is the first of them: numbers
// may change.
func TestCoderNamesClasses(t *testing.T) {
	f := &scan.Finding{Rule: "jwt"}
	b := coded(f)
	for _, name := range []string{f.Category.String(), f.Severity.String(), f.Confidence.String(), f.Where.String()} {
		if !bytes.Contains(b, []byte(name)) {
			t.Errorf("%s is not named", name)
		}
	}
	if again := coded(f, f)[len(b):]; bytes.Contains(again, []byte(f.Severity.String())) {
		t.Error("it is named twice")
	}
}

// No records are more than an error.
func FuzzDecoder(f *testing.F) {
	f.Add(coded(randomFindings(rand.New(rand.NewPCG(7, 7)), 3)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, _, err := decoded(b)
		if err != nil {
			return
		}
		again, _, err := decoded(coded(found...))
		if err != nil {
			t.Fatal(err)
		}
		sameFindings(t, again, found)
	})
}
