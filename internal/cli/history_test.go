package cli

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/rdb"
)

// falseBase writes a log with a base whose checksum is right: keys, a hash of which only
// what it holds is broken, and more keys. What the hash holds reads as records of the
// first keys.
func falseBase(t *testing.T) (path string) {
	t.Helper()
	record := func(b []byte, i int, value string) []byte {
		b = fmt.Appendf(b, "\x00\x0akey:%06d", i)
		return append(append(b, 0x40|byte(len(value)>>8), byte(len(value))), value...)
	}
	b := []byte("REDIS0010\xfa\x0caof-preamble\xc0\x01\xfe\x00")
	for i := range 5000 {
		b = record(b, i, strings.Repeat("as it was ", 100))
	}
	var inside []byte
	for i := range 100 {
		inside = record(inside, i, "another")
	}
	b = append(b, "\x10\x04hash"...)
	b = append(binary.BigEndian.AppendUint16(b, 0x4000|uint16(len(inside))), inside...)
	for i := range 5000 {
		b = record(b, 5000+i, strings.Repeat("as it was ", 100))
	}
	b = append(b, 0xff)
	b = binary.LittleEndian.AppendUint64(b, rdb.Checksum(0, b))
	b = append(b, "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\n1\r\n"...)
	path = filepath.Join(t.TempDir(), "appendonly.aof")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A data set at a point that turns out late to be of a damaged base is begun anew in a
// file; of standard output, which cannot be taken back, it is said that it is not all.
func TestHistoryOfAFalseBase(t *testing.T) {
	log := falseBase(t)
	args := func(more ...string) []string {
		return append([]string{"history", log, "--at", "1000000000", "--format", "jsonl"}, more...)
	}
	lines := func(s string) []string {
		all := strings.Split(s, "\n")
		slices.Sort(all)
		return all
	}
	want := lines(runs(t, exitIncomplete, args("--max-mem", "1GiB")...))

	var out, errs bytes.Buffer
	if code := Main(args("--max-mem", "32MiB"), nil, &out, &errs); code != exitIncomplete || !strings.Contains(errs.String(), log+": offset ") || !strings.Contains(errs.String(), "--output") || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("status %d, %s", code, &errs)
	}
	if got := lines(out.String()); out.Len() == 0 || len(slices.Compact(got)) != len(got) {
		t.Error("nothing was written, or something twice")
	}
	file := filepath.Join(t.TempDir(), "state.jsonl")
	runs(t, exitIncomplete, args("--max-mem", "32MiB", "-o", file)...)
	got, err := os.ReadFile(file)
	if err != nil || !slices.Equal(lines(string(got)), want) {
		t.Errorf("%d lines in a file, want %d, or others: %v", len(lines(string(got))), len(want), err)
	}
	// Who compares it learns that it is not all.
	if said := runs(t, exitIncomplete, "diff", log, log, "--max-mem", "32MiB", "--format", "jsonl"); !strings.Contains(said, `"complete":false`) {
		t.Error(said[:min(len(said), 300)])
	}
}
