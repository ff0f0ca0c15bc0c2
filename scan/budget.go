package scan

// The bounds of what one name or value may cost.
const (
	maxDepth    = 10       // containers inside containers
	maxOutput   = 16 << 20 // bytes that come out of a leaf's containers
	baseOutput  = 4 << 20  // so much for any leaf, and
	outputRatio = 32       // so much more a byte of it: text shrinks to a tenth, and what shrinks to less repeats itself
	batchOutput = 32 << 20 // bytes that come out of the containers of all leaves of a batch, and
	batchRatio  = 64       // so much more a byte of it: many small bombs cost no more than a few large ones
	leastOutput = 64 << 10 // so much comes out of a leaf even if those before it took all
	maxElements = 1 << 18  // fragments
	baseHits    = 1 << 14  // keywords that rules are asked about, and
	hitShare    = 8        // one more for so many bytes of the leaf
	baseMatches = 1 << 12  // matches, and
	matchShare  = 32       // one more for so many bytes
	maxProofs   = 16       // private keys that are read; the others are known by their armour
)

// A budget counts down what the current leaf may still cost. It counts work,
// not time, so that the result does not depend on the machine.
type budget struct {
	batch    int // output that is left for all leaves of the batch
	output   int
	elements int
	hits     int
	matches  int
	proofs   int
}

func (b *budget) reset(size int) {
	b.output = min(maxOutput, baseOutput+outputRatio*size, max(b.batch, leastOutput))
	b.elements = maxElements
	b.hits = baseHits + size/hitShare
	b.proofs = maxProofs
	b.matches = baseMatches + size/matchShare
}

// spend takes n bytes of output. Where there are not as many, there are none any more:
// readers may take what is left and one byte.
func (b *budget) spend(n int) bool {
	b.output = max(b.output-n, -1)
	b.batch -= n
	return b.output >= 0
}

// afford takes n bytes of output, or those that are left, and returns how many.
func (b *budget) afford(n int) int {
	got := min(n, max(b.output, 0))
	b.spend(n)
	return got
}

// element takes one element.
func (b *budget) element() bool {
	b.elements--
	return b.elements >= 0
}
