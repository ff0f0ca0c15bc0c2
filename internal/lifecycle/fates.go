package lifecycle

import (
	"encoding/binary"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// The fates of a partition are stored in the order of its ops, in bytes: three
// bits of state, and either listedFlag, which a position in a list follows, or in
// the upper four bits how often the state repeats.
const (
	stateMask  = 0x07
	listedFlag = 0x08
	runShift   = 4
	maxRun     = 15
)

// writeFates stores the fates that the engine found.
func (e *engine) writeFates(s *spill.Stream) error {
	var buf [1 + binary.MaxVarintLen64]byte
	listed := e.listed // ascending
	for i := 0; i < len(e.fates); {
		state := e.fates[i] &^ final
		if len(listed) > 0 && listed[0]>>32 == uint64(i) {
			b := append(buf[:0], state|listedFlag)
			b = binary.AppendUvarint(b, listed[0]&0xffffffff)
			for len(listed) > 0 && listed[0]>>32 == uint64(i) {
				listed = listed[1:] // a copy's elements have several positions
			}
			if err := s.Append(b); err != nil {
				return err
			}
			i++
			continue
		}
		end := min(i+1+maxRun, len(e.fates))
		if len(listed) > 0 {
			end = min(end, int(listed[0]>>32))
		}
		n := i + 1
		for n < end && e.fates[n]&^final == state {
			n++
		}
		if err := s.Append(append(buf[:0], state|uint8(n-i-1)<<runShift)); err != nil {
			return err
		}
		i = n
	}
	return nil
}

// A fateReader reads them back.
type fateReader struct {
	blocks *spill.Reader
	block  []byte
	state  keyspace.State
	repeat uint8
}

// next returns the next fate, and io.EOF behind the last.
func (r *fateReader) next() (fate, error) {
	if r.repeat > 0 {
		r.repeat--
		return fate{r.state, -1}, nil
	}
	if len(r.block) == 0 {
		b, err := r.blocks.Next()
		if err != nil {
			return fate{}, err
		}
		r.block = b
	}
	c := r.block[0]
	r.state = keyspace.State(c & stateMask)
	if c&listedFlag == 0 {
		r.repeat = c >> runShift
		r.block = r.block[1:]
		return fate{r.state, -1}, nil
	}
	pos, n := binary.Uvarint(r.block[1:])
	r.block = r.block[1+n:]
	return fate{r.state, int64(pos)}, nil
}
