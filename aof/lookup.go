package aof

// index is an open hash table of commands by name.
type index struct {
	slots []*CommandSpec // a power of two, at most half full
}

func newIndex(specs []CommandSpec) index {
	n := 2
	for n < 2*len(specs) {
		n *= 2
	}
	x := index{make([]*CommandSpec, n)}
	for i := range specs {
		h := hashName([]byte(specs[i].Name))
		for x.slots[h&uint32(n-1)] != nil {
			h++
		}
		x.slots[h&uint32(n-1)] = &specs[i]
	}
	return x
}

func (x index) lookup(name []byte) (*CommandSpec, bool) {
	for h := hashName(name); ; h++ {
		s := x.slots[h&uint32(len(x.slots)-1)]
		if s == nil {
			return nil, false
		}
		if is(name, s.Name) {
			return s, true
		}
	}
}

// hashName is FNV-1a over a name without regard to case.
func hashName(name []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range name[:min(len(name), 32)] {
		h = (h ^ uint32(c&^0x20)) * 16777619
	}
	return h
}

var byName = newIndex(commands)

// LookupCommand finds a command by its name in any case. It does not allocate.
func LookupCommand(name []byte) (*CommandSpec, bool) { return byName.lookup(name) }
