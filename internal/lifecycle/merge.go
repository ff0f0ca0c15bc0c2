package lifecycle

import "io"

// A merge brings several runs of ops into one, in log order: a heap of the runs,
// the one with the earliest op on top.
type merge []*opReader

// add takes a run.
func (m *merge) add(r opReader) error {
	if _, err := r.next(); err != nil {
		if err == io.EOF {
			return nil
		}
		return err
	}
	*m = append(*m, &r)
	h := *m
	for i := len(h) - 1; i > 0 && h[i].op.seq < h[(i-1)/2].op.seq; i = (i - 1) / 2 {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
	}
	return nil
}

// each calls do with every op, and leaves the merge empty.
func (m *merge) each(do func(*op) error) error {
	for h := *m; len(h) > 0; {
		if err := do(&h[0].op); err != nil {
			return err
		}
		switch _, err := h[0].next(); err {
		case nil:
		case io.EOF:
			h[0] = h[len(h)-1]
			h = h[:len(h)-1]
		default:
			return err
		}
		for i := 0; ; {
			least := i
			for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
				if h[c].op.seq < h[least].op.seq {
					least = c
				}
			}
			if least == i {
				break
			}
			h[i], h[least] = h[least], h[i]
			i = least
		}
	}
	*m = nil
	return nil
}
