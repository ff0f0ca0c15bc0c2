package aof

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// FuzzAOF reads anything: no panic, offsets that only grow, every byte
// accounted for, and the same events however the input arrives.
func FuzzAOF(f *testing.F) {
	f.Add(sample(), false)
	for _, test := range effectTests {
		f.Add(resp(words(test.command)), true)
	}
	for _, s := range []string{"*1\r\n$4\r\nEXEC\r\n", "*9999999999\r\n$3\r\nSET\r\n", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$99999\r\nv", "#TS:1\r\n", "\x00\x00\x00",
		"SET k v\r\n*1\r\n$5\r\nMULTI\r\n", "*2\r\n$3\r\nSET\r\n\x00\x00\x00\x00*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	data, _ := noisy(20)
	for i := range data {
		if i%37 == 0 {
			d := bytes.Clone(data)
			d[i] ^= 4
			f.Add(d, true)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, resync bool) {
		o := Options{Resync: resync, Limits: keyspace.Limits{MaxChunk: 64, MaxKey: 256, MaxElements: 1000}}
		whole, err := account(t, data, newReader(bytes.NewReader(data), o, 512))
		again, err2 := account(t, data, newReader(iotest.OneByteReader(bytes.NewReader(data)), o, 512))
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v, but byte by byte %v", err, err2)
		}
		diff(t, "byte by byte", full(again), full(whole))
	})
}

// account reads all and holds that what is said about places can be.
func account(t *testing.T, data []byte, r *Reader) ([]*keyspace.Event, error) {
	t.Helper()
	events, err := read(t, r)
	if err != nil {
		var fe *keyspace.FormatError
		if !errors.As(err, &fe) || fe.Pos.Offset < 0 || fe.Pos.Offset > int64(len(data)) {
			t.Fatalf("%v", err)
		}
	}
	if bytes.HasPrefix(data, []byte("REDIS")) || bytes.HasPrefix(data, []byte("VALKEY")) || bytes.HasPrefix(data, []byte("V")) {
		return events, err // package rdb's to account for
	}
	at := int64(0)
	for _, e := range events {
		if e.Pos.Inner < 0 && (e.Pos.Offset < 0 || e.Pos.Offset > int64(len(data)) || e.Record < 0 || e.Record > int64(len(data))) {
			t.Fatalf("%s at %d of record %d", line(e), e.Pos.Offset, e.Record)
		}
		switch {
		case e.Kind == keyspace.Command:
			if e.Record < at || e.Length > int64(len(data))-e.Record {
				t.Fatalf("%s at %d behind %d, length %d", line(e), e.Record, at, e.Length)
			}
			at = e.Record + max(0, e.Length)
		case e.Kind == keyspace.Damage:
			at = e.Pos.Offset + e.Length // it may take back the command before it
		case e.Kind == keyspace.End && e.Length != int64(len(data)):
			t.Fatalf("%d of %d bytes read", e.Length, len(data))
		}
		if len(e.Value) > 64 && e.Kind == keyspace.Element && e.Pos.Inner < 0 && e.Encoding == keyspace.RESP {
			t.Fatalf("%s: a value of %d bytes", line(e), len(e.Value))
		}
	}
	return events, err
}

// FuzzManifest reads anything: no panic, no name that leaves the directory.
func FuzzManifest(f *testing.F) {
	f.Add([]byte("file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i startoffset 5\n# comment\n"))
	f.Add([]byte(`file "a \"b\" \x41\n" seq 1 type b` + "\nfile 'it\\'s' seq 2 type i\n"))
	f.Add([]byte("file ../a seq 1 type b\nfile /a seq 2 type h x y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(bytes.NewReader(data))
		again, err2 := ParseManifest(iotest.OneByteReader(bytes.NewReader(data)))
		if m == nil || m.text() != again.text() || (err == nil) != (err2 == nil) {
			t.Fatalf("%v, but byte by byte %v", err, err2)
		}
		bases, seq := 0, int64(0)
		for _, file := range m.Files {
			if !isBaseName(file.Name) || file.Seq <= 0 || file.Type.String() == "invalid" {
				t.Fatalf("%+v", file)
			}
			if file.Type == Base {
				bases++
			}
			if file.Type == Incr {
				if file.Seq <= seq {
					t.Fatalf("sequence number %d behind %d", file.Seq, seq)
				}
				seq = file.Seq
			}
		}
		if bases > 1 {
			t.Fatalf("%d bases", bases)
		}
	})
}

// TestAllocs holds that reading a command allocates nothing.
func TestAllocs(t *testing.T) {
	var data []byte
	for _, test := range effectTests {
		data = append(data, resp(words(test.command))...)
	}
	once := countAllocs(t, data)
	if many := countAllocs(t, bytes.Repeat(data, 20)); many > once+5 {
		t.Errorf("%v allocations for a log, %v for one of twenty times the commands", once, many)
	}
}

func countAllocs(t *testing.T, data []byte) float64 {
	return testing.AllocsPerRun(5, func() {
		for _, err := range NewReader(bytes.NewReader(data), Options{}).Events(t.Context()) {
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
		}
	})
}
