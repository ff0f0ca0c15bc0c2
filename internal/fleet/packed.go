package fleet

import (
	"bufio"
	"context"
	"database/sql"
	"io"
	"slices"

	"github.com/klauspost/compress/s2"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// packed is what was found in an input as JSON lines, until it is stored: a row for
// each would cost more than to find it, so they are compressed, by S2 since it costs
// least, and the stream is cut into rows. What is much is spilled, encrypted.
type packed struct {
	stream *spill.Stream
	zip    *s2.Writer
	row    []byte
}

const (
	packedBlock = 64 << 10  // of lines that are compressed at once
	pieceSize   = 4 << 10   // that is spilled at once
	rowSize     = 256 << 10 // at most: PostgreSQL takes half the time for them that it takes for rows of one block
)

func newPacked(in *spill.Store) *packed {
	p := &packed{stream: in.Stream()}
	p.zip = s2.NewWriter(pieces{p.stream}, s2.WriterConcurrency(1), s2.WriterBlockSize(packedBlock))
	return p
}

// empty makes room for other lines.
func (p *packed) empty() {
	p.stream.Free()
	p.zip.Reset(pieces{p.stream})
}

// Write adds lines.
func (p *packed) Write(lines []byte) (int, error) { return p.zip.Write(lines) }

// pieces cuts what is written.
type pieces struct{ stream *spill.Stream }

func (p pieces) Write(b []byte) (int, error) {
	for c := range slices.Chunk(b, pieceSize) {
		if err := p.stream.Append(c); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// store replaces what was found in an input.
func (p *packed) store(ctx context.Context, db *DB, tx *sql.Tx, input int64) error {
	if err := p.zip.Close(); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, db.q(`DELETE FROM fleet_findings WHERE input = $1`), input); err != nil {
		return err
	}
	put := db.q(`INSERT INTO fleet_findings (input, seq, body) VALUES ($1, $2, $3)`)
	r := p.stream.Reader()
	for seq := 0; ; seq++ {
		row, err := fillRow(p.row[:0], r)
		if err != nil || len(row) == 0 {
			return err
		}
		p.row = row
		if _, err := tx.ExecContext(ctx, put, input, seq, row); err != nil {
			return err
		}
	}
}

// fillRow appends blocks to row as long as it has room for one; none at the end.
func fillRow(row []byte, r *spill.Reader) ([]byte, error) {
	for len(row)+spill.BlockSize <= rowSize {
		block, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		row = append(row, block...)
	}
	return row, nil
}

// unpacker yields the lines of one input after the other from rows of their ids and
// bodies, in order.
type unpacker struct {
	rows  *sql.Rows
	dest  []any // of all columns: the first is &input, the last &body
	input int64
	body  []byte // what is left of the row
	more  bool   // the row is of the input that follows
	zip   *s2.Reader
	lines *bufio.Reader
}

// newUnpacker returns one for a query whose columns are the input's id, others, and
// the body. Close ends it, and the query.
func newUnpacker(rows *sql.Rows, others ...any) *unpacker {
	u := &unpacker{rows: rows, zip: s2.NewReader(nil), lines: bufio.NewReaderSize(nil, packedBlock)}
	u.dest = append(append([]any{&u.input}, others...), &u.body)
	return u
}

// next goes to the next input, the other columns of which are then in their places
// until a line is read, and reports whether there is one.
func (u *unpacker) next() (bool, error) {
	if !u.more {
		if err := u.row(); err == io.EOF {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	u.more = false
	u.zip.Reset(u)
	u.lines.Reset(u.zip)
	return true, nil
}

// line returns the next line of the input, and io.EOF behind the last.
func (u *unpacker) line() ([]byte, error) { return u.lines.ReadBytes('\n') }

// row reads a row.
func (u *unpacker) row() error {
	if u.rows.Next() {
		return u.rows.Scan(u.dest...)
	}
	if err := u.rows.Err(); err != nil {
		return err
	}
	return io.EOF
}

// Read reads the bodies of one input.
func (u *unpacker) Read(b []byte) (int, error) {
	for len(u.body) == 0 {
		if u.more {
			return 0, io.EOF
		}
		at := u.input
		if err := u.row(); err != nil {
			return 0, err
		}
		u.more = u.input != at
		if u.more {
			return 0, io.EOF
		}
	}
	n := copy(b, u.body)
	u.body = u.body[n:]
	return n, nil
}

func (u *unpacker) close() error { return u.rows.Close() }
