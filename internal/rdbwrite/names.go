package rdbwrite

import (
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// names are hashes of the members of a set or sorted set, or of the fields of a hash: no
// server loads one that has two of the same.
type names struct {
	seed maphash.Seed
	body body
	held []uint64 // of those that are compared at once
	most uint64   // of these
}

func (n *names) init(s *spill.Store, maxMem int64) {
	n.seed, n.body.store, n.most = maphash.MakeSeed(), s, uint64(max(maxMem/hashSize, 1))
}

const hashSize = 8

// add takes the next name: text, or what lies in parts.
func (n *names) add(text []byte, parts *body) error {
	var h uint64
	if text != nil {
		h = maphash.Bytes(n.seed, text)
	} else {
		var long maphash.Hash
		long.SetSeed(n.seed)
		if err := parts.each(func(p []byte) error { _, err := long.Write(p); return err }); err != nil {
			return err
		}
		h = long.Sum64()
	}
	n.body.buf = binary.LittleEndian.AppendUint64(n.body.buf, h)
	return n.body.shelve()
}

// repeat reports whether two are the same. Where they are many it compares those of a
// share of all hashes at a time.
func (n *names) repeat() (bool, error) {
	shares := uint64(n.body.len())/hashSize/n.most + 1
	for share := range shares {
		n.held = n.held[:0]
		err := n.body.each(func(p []byte) error { // blocks are a multiple of a hash long
			for ; len(p) > 0; p = p[hashSize:] {
				if h := binary.LittleEndian.Uint64(p); h%shares == share {
					n.held = append(n.held, h)
				}
			}
			return nil
		})
		if err != nil {
			return false, err
		}
		slices.Sort(n.held)
		for i := 1; i < len(n.held); i++ {
			if n.held[i] == n.held[i-1] {
				return true, nil
			}
		}
	}
	return false, nil
}
