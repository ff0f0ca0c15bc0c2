package sweep

import (
	"bytes"
	"os"
	"testing"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A log that begins with a snapshot has two ends, and every byte once.
func TestSnapshotAtTheHeadOfALogIsCountedOnce(t *testing.T) {
	head, err := os.ReadFile("../../testdata/incident/dump.rdb")
	if err != nil {
		t.Fatal(err)
	}
	log := append(head, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n"...)
	last := int64(len(log) - len("*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n"))
	for _, c := range []struct {
		until keyspace.Kind
		want  int64
	}{{keyspace.End, int64(len(log))}, {keyspace.Delete, last}} {
		m := &meter{}
		behind := false // the snapshot
		for e, err := range m.seq(aof.NewReader(bytes.NewReader(log), aof.Options{Source: "log"}).Events(t.Context())) {
			if err != nil {
				t.Fatal(err)
			}
			if behind && e.Kind == c.until {
				break
			}
			behind = behind || e.Kind == keyspace.End
		}
		if got := m.read + m.reached; got != c.want {
			t.Errorf("up to %v, %d bytes are read, not %d", c.until, got, c.want)
		}
	}
}
