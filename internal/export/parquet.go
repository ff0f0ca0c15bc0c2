package export

import (
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// parquetTable writes rows as Apache Parquet. A group of rows is held in memory until
// it is complete.
type parquetTable struct {
	sink *sink
	w    *parquet.GenericWriter[row]
	one  [1]row
	held int64
}

// groupBytes bounds the strings of a group of rows, groupRows their number.
const (
	groupBytes = 32 << 20
	groupRows  = 1 << 17
)

func newParquetTable(out *output) *parquetTable {
	t := &parquetTable{sink: &sink{out: out}}
	t.w = parquet.NewGenericWriter[row](t.sink, parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}), parquet.MaxRowsPerRowGroup(groupRows), parquet.CreatedBy("valkeyfs", "", ""))
	return t
}

func (t *parquetTable) row(r *row) error {
	t.one[0] = *r
	if _, err := t.w.Write(t.one[:]); err != nil {
		return err
	}
	for _, x := range []*text{&r.Key, &r.Field, &r.Value} {
		t.held += int64(len(x.Text) + len(x.Raw))
	}
	if t.held < groupBytes {
		return nil
	}
	t.held = 0
	return t.w.Flush()
}

func (t *parquetTable) close() error {
	if err := t.w.Close(); err != nil {
		return err
	}
	return t.sink.flush()
}
