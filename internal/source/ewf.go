package source

import (
	"fmt"

	"github.com/valkeyfs/valkeyfs/internal/ewf"
)

// openDisk opens the disk inside an image that begins like one of the Expert Witness
// Format, and the segments beside it; nil if it does not.
func (m *Image) openDisk() error {
	var head [16]byte
	if n, _ := m.h.ReadAt(head[:], 0); !ewf.Sniff(head[:n]) {
		return nil
	}
	disk, err := ewf.Open(func(n int) (ewf.Segment, error) {
		if n == 1 {
			return segment{m.h, m.size}, nil
		}
		name, ok := ewf.Name(m.path, n)
		if !ok {
			return nil, fmt.Errorf("its name cannot be told from %s", m.path)
		}
		h, err := openFile(nil, name)
		if err != nil {
			return nil, err
		}
		m.more = append(m.more, h)
		m.touched = m.touched || h.touched
		if !h.info.Mode().IsRegular() {
			return nil, errSpecial
		}
		return segment{h, h.info.Size()}, nil
	})
	m.disk = disk
	return err
}

// segment is an open file of an image.
type segment struct {
	*handle
	size int64
}

func (s segment) Size() int64 { return s.size }
