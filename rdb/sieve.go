package rdb

// Of noise, one place of thirty begins with two bytes that a record can begin with. To
// look further, plausibleAt takes branches that no processor foresees; Sieve takes none
// for two bytes more, nor for where they stand. Tables tell that: one byte tells where
// the next stands that tells most, and which row judges it.

// Of b, Sieve looks at SieveAhead bytes, for places among the first SieveBlock.
const (
	SieveBlock = 1 << 10
	SieveAhead = 4 << 10 // where a record of the last place is judged lies before it
)

// Sieve refuses nearly all places that MayBegin lets pass, and none where a record
// begins. It returns the others, in the memory of places.
func Sieve(b []byte, places []uint16) (left []uint16) {
	w := (*[SieveAhead]byte)(b) // of a power of two: where an index is cut to it, none is checked
	n := 0
	for _, place := range places {
		i := uint(place)
		key := keys[kindOf[w[i%SieveAhead]]%kinds][w[(i+1)%SieveAhead]]
		at := i + key.skip() + uint(w[(i+2)%SieveAhead]&key.mask())
		value := values[key.row()%kinds][w[at%SieveAhead]]
		end := at + value.skip()
		last := lasts[w[end%SieveAhead]^w[(end-1)%SieveAhead]&value.mask()] >> value.row()
		places[n] = place
		n += int(last & 1)
	}
	return places[:n]
}

// MayBegin reports whether a record can begin with two bytes: with a type that servers
// write and a key of up to 2 KiB that has a name, with an expiry, an age, or a
// database. It is for those who look for other things, too, in one pass: where it says
// yes, ask At.
func MayBegin(first, second byte) bool {
	return keys[kindOf[first]%kinds][second].row() != kindNone
}

// BehindDB is the byte that follows where MayBegin takes a database and Sieve leaves it.
const BehindDB = opResizeDB

// turn is what follows from a byte. Its lowest 11 bits are how far the next one stands
// that is looked at. The bit above them says, of two bytes, that the third is added to
// that; of a value's first, that the next is to be the one before it. The highest four
// tell what the next is to be: its kind, or its last.
type turn uint16

const addsThird, likeBefore = 1 << 11, 1 << 11

func newTurn(skip, flag, row int) turn { return turn(skip | flag | row<<12) }

func (t turn) skip() uint  { return uint(t % addsThird) }
func (t turn) mask() uint8 { return uint8(int16(t<<4) >> 15) } // 0xff where the bit is set
func (t turn) row() uint   { return uint(t >> 12) }

// Kinds of records, by how they go on.
const (
	kindNone = iota
	kindString
	kindModule
	kindIntset
	kindContainer
	kindExpiring  // fields with an expiry
	kindElements  // strings, or pairs of them
	kindQuicklist // nodes
	kindQuicklist2
	kindStream
	kindStream4 // of Redis 8.2, never empty
	kindExpireMS
	kindFreq
	kindIdle
	kindSelectDB
	kindOpaque // four bytes do not tell
	kinds      = 1 << 4
)

// What the last byte that is looked at is to be.
const (
	lastNone    = iota // it is refused
	lastAny            // it is believed
	lastZero           // zero
	lastOpens          // what a record begins with
	lastWidth          // that of an intset's integers
	lastLow            // the first of a length of 32 bits
	lastPacked         // the length of a container
	lastElement        // that of any string
	lastID             // that of a stream's ID
	lastNode           // how a list's node is kept
	lastKey            // the first of a key, behind its type
)

// kindOf tells the kind by the first byte: of the types that servers have written since
// Redis 5, but for hashes that refer to a template, which stands elsewhere.
var kindOf = [256]uint8{
	0: kindString, 2: kindElements, 4: kindElements, 5: kindElements, 7: kindModule, 11: kindIntset, 12: kindContainer, 13: kindContainer,
	14: kindQuicklist, 15: kindStream, 16: kindContainer, 17: kindContainer, 18: kindQuicklist2, 19: kindStream, 20: kindContainer,
	21: kindStream, typeForked: kindElements, 24: kindExpiring, 25: kindExpiring, 26: kindStream4, 27: kindStream4,
	opExpireMS: kindExpireMS, opFreq: kindFreq, opIdle: kindIdle, opSelectDB: kindSelectDB,
}

// keys has a row for each kind: what follows from the second byte.
var keys = func() (keys [kinds][256]turn) {
	row := func(kind, from, to, skip, flag, behind int) { fill(&keys[kind], from, to, newTurn(skip, flag, behind)) }
	row(kindNone, 0, 255, 1, 0, kindNone)
	for kind := kindString; kind < kindExpireMS; kind++ {
		for n := 1; n < 64; n++ { // the length of the key
			row(kind, n, n, 2+n, 0, kind)
		}
		for n := range 8 {
			row(kind, 64+n, 64+n, 3+n<<8, addsThird, kind)
		}
		for n := range 3 { // an integer
			row(kind, 0xc0+n, 0xc0+n, 2+1<<n, 0, kind)
		}
		row(kind, 0xc3, 0xc3, 1, 0, kindOpaque) // compressed
	}
	row(kindExpireMS, 0, 255, 7, 0, kindExpireMS)
	row(kindFreq, 0, 255, 2, 0, kindFreq)
	row(kindIdle, 0, 63, 2, 0, kindFreq)
	row(kindIdle, 64, 127, 3, 0, kindFreq)
	row(kindSelectDB, 0, 63, 2, 0, kindSelectDB)
	return keys
}()

// values has one for each kind: what follows from the first byte behind the key, or from
// the one that was looked at instead.
var values = func() (values [kinds][256]turn) {
	row := func(kind, from, to, skip, flag, last int) { fill(&values[kind], from, to, newTurn(skip, flag, last)) }
	row(kindNone, 0, 255, 1, 0, lastNone)
	row(kindOpaque, 0, 255, 1, 0, lastAny)
	row(kindExpireMS, 0, 0, 1, 0, lastZero) // the highest bytes of milliseconds
	for typ := range opFirst {
		if kindOf[typ] != kindNone {
			row(kindFreq, typ, typ, 1, 0, lastKey)
		}
	}
	row(kindSelectDB, opResizeDB, opResizeDB, 1, 0, lastAny)
	for n := range 64 {
		row(kindString, n, n, 1+n, 0, lastOpens)
	}
	row(kindString, 64, 128, 0, 0, lastAny)
	row(kindString, 0xc0, 0xc3, 0, 0, lastAny)
	row(kindModule, 0x81, 0x81, 0, 0, lastAny) // RDB_64BITLEN of its id
	row(kindExpiring, 0, 255, 6, 0, lastZero)  // the smallest expiry, of 48 bits
	for _, c := range []struct{ kind, flag, last int }{
		{kindIntset, 0, lastWidth},
		{kindContainer, likeBefore, lastZero}, // it begins with its length, whose last byte stands before it
	} {
		row(c.kind, 0, 63, 1, c.flag, c.last)
		row(c.kind, 64, 127, 2, c.flag, c.last)
		row(c.kind, 0x80, 0x80, 5, c.flag, c.last)
		row(c.kind, 0xc3, 0xc3, 0, 0, lastAny)
	}
	for _, c := range []struct{ kind, last int }{
		{kindElements, lastElement}, {kindQuicklist, lastPacked}, {kindQuicklist2, lastNode}, {kindStream, lastID}, {kindStream4, lastID},
	} {
		row(c.kind, 1, 63, 1, 0, c.last)
		row(c.kind, 64, 127, 2, 0, c.last)
		row(c.kind, 0x80, 0x80, 1, 0, lastLow)
	}
	row(kindStream, 0, 0, 0, 0, lastAny) // it may be empty
	row(kindStream, 64, 64, 0, 0, lastAny)
	return values
}()

func fill(row *[256]turn, from, to int, t turn) {
	for c := from; c <= to; c++ {
		row[c] = t
	}
}

// lasts has a bit for each row.
var lasts = func() (lasts [256]uint16) {
	for c := range 256 {
		allow := func(row int, ok bool) {
			if ok {
				lasts[c] |= 1 << row
			}
		}
		allow(lastAny, true)
		allow(lastZero, c == 0)
		allow(lastOpens, opens(byte(c)))
		allow(lastWidth, c == 2 || c == 4 || c == 8)
		allow(lastLow, c < 0x10)
		allow(lastPacked, c <= 0x80 || c == 0xc3)
		allow(lastElement, c <= 0x80 || c >= 0xc0 && c <= 0xc3)
		allow(lastID, c == 16)
		allow(lastNode, c == nodePlain || c == nodePacked)
		allow(lastKey, MayBegin(0, byte(c)))
	}
	return lasts
}()
