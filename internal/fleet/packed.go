package fleet

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/scan"
)

// packed is what was found in an input, as records, until it is stored: a row for each
// would cost more than to find it, so the stream of them is cut into rows. What is much
// is spilled, encrypted.
type packed struct {
	stream *spill.Stream
	out    *bufio.Writer // to the stream
	coder  *coder
	record []byte
	row    []byte
}

const (
	pieceSize = 4 << 10   // that is spilled at once
	rowSize   = 256 << 10 // at most, with its sum: PostgreSQL takes half the time for them that it takes for rows of 64 KiB
)

func newPacked(in *spill.Store) *packed {
	p := &packed{stream: in.Stream(), coder: &coder{}}
	p.out = bufio.NewWriterSize(pieces{p.stream}, pieceSize)
	return p
}

// empty makes room for what is found in another input.
func (p *packed) empty() {
	p.stream.Free()
	p.out.Reset(pieces{p.stream})
	*p.coder = coder{values: p.coder.values}
}

// finding adds a finding.
func (p *packed) finding(f *scan.Finding) error {
	p.record = p.coder.finding(p.record[:0], f)
	_, err := p.out.Write(p.record)
	return err
}

// damage adds damage.
func (p *packed) damage(d *report.Damage) (err error) {
	if p.record, err = p.coder.damage(p.record[:0], d); err != nil {
		return err
	}
	_, err = p.out.Write(p.record)
	return err
}

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

// foundTable has what was found; up to version 4 another has it, so that a worker that is
// of then cannot add what is read in another way now.
const foundTable = "fleet_found"

// sums are of the rows of an input. Each begins with the CRC-32C of all that its input
// has up to its end, and the last with the complement of that: no row can be other than it
// was, missing or in another's place.
type sums struct {
	sum   uint32
	ended bool // the last row was
}

const sumSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// put writes the sum of a row into its beginning.
func (s *sums) put(row []byte, last bool) {
	s.sum = crc32.Update(s.sum, castagnoli, row[sumSize:])
	sum := s.sum
	if last {
		sum = ^sum
	}
	binary.LittleEndian.PutUint32(row, sum)
}

// check returns what a row has behind its sum.
func (s *sums) check(row []byte) ([]byte, error) {
	if s.ended || len(row) <= sumSize {
		return nil, errRecord
	}
	s.sum = crc32.Update(s.sum, castagnoli, row[sumSize:])
	sum := binary.LittleEndian.Uint32(row)
	if s.ended = sum == ^s.sum; !s.ended && sum != s.sum {
		return nil, errRecord
	}
	return row[sumSize:], nil
}

// end is io.EOF behind the last row.
func (s *sums) end() error {
	if !s.ended {
		return errRecord
	}
	return io.EOF
}

// store replaces what was found in an input, in a table. In that of version 4 rows have
// no sums.
func (p *packed) store(ctx context.Context, db *DB, tx *sql.Tx, table string, input int64) error {
	if err := p.out.Flush(); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, db.q(`DELETE FROM `+table+` WHERE input = $1`), input); err != nil {
		return err
	}
	put := db.q(`INSERT INTO ` + table + ` (input, seq, body) VALUES ($1, $2, $3)`)
	r, left := p.stream.Reader(), p.stream.Len()
	p.row = append(p.row[:0], make([]byte, sumSize)...)
	var of sums
	for seq := 0; left > 0; seq++ {
		var err error
		if p.row, err = fillRow(p.row, r); err != nil {
			return err
		}
		n := min(len(p.row), rowSize)
		left -= int64(n - sumSize)
		row := p.row[:n]
		if table == foundTable {
			of.put(row, left == 0)
		} else {
			row = row[sumSize:]
		}
		if _, err := tx.ExecContext(ctx, put, input, seq, row); err != nil {
			return err
		}
		p.row = append(p.row[:sumSize], p.row[n:]...)
	}
	return nil
}

// fillRow appends blocks to row until it is one, or there are no more.
func fillRow(row []byte, r *spill.Reader) ([]byte, error) {
	for len(row) < rowSize {
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

// unpacker yields what was found in one input after the other from rows of their ids
// and bodies, in order.
type unpacker struct {
	rows  *sql.Rows
	dest  []any // of all columns: the first is &input, the last &body
	input int64
	body  []byte // what is left of the row
	more  bool   // the row is of the input that follows
	sums  sums
	found *decoder
}

// newUnpacker returns one for a query whose columns are the input's id, others, and
// the body. Close ends it, and the query.
func newUnpacker(rows *sql.Rows, others ...any) *unpacker {
	u := &unpacker{rows: rows, found: &decoder{in: bufio.NewReader(nil)}}
	u.dest = append(append([]any{&u.input}, others...), &u.body)
	return u
}

// next goes to the next input, the other columns of which are then in their places
// until a record is read, and reports whether there is one.
func (u *unpacker) next() (bool, error) {
	if !u.more {
		if err := u.row(); err == io.EOF {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	u.more, u.sums = false, sums{}
	var err error
	if u.body, err = u.sums.check(u.body); err != nil {
		return false, ofInput(u.input, err)
	}
	u.found.in.Reset(u)
	*u.found = decoder{in: u.found.in, buf: u.found.buf}
	return true, nil
}

// ofInput names the input in an error.
func ofInput(input int64, err error) error {
	return fmt.Errorf("input %d: %w", input, err)
}

// records calls do for each finding or damage of the input.
func (u *unpacker) records(do func(*scan.Finding, *report.Damage) error) error {
	input := u.input
	for {
		f, d, err := u.found.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return ofInput(input, err)
		}
		if err := do(f, d); err != nil {
			return err
		}
	}
}

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
	if u.more {
		return 0, u.sums.end()
	}
	for len(u.body) == 0 {
		at := u.input
		err := u.row()
		if err == io.EOF {
			return 0, u.sums.end()
		}
		if err != nil {
			return 0, err
		}
		if u.more = u.input != at; u.more {
			return 0, u.sums.end()
		}
		if u.body, err = u.sums.check(u.body); err != nil {
			return 0, err
		}
	}
	n := copy(b, u.body)
	u.body = u.body[n:]
	return n, nil
}

func (u *unpacker) close() error { return u.rows.Close() }
