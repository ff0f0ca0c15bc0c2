package aof

// RESP as an AOF holds it (aof.c, catAppendOnlyGenericCommand):
//
//	*argc\r\n then argc × $length\r\n data \r\n

// A status says how far a stretch of RESP could be read.
type status uint8

const (
	done  status = iota // it lies whole in the window
	short               // it may go on behind the window
	wrong               // it is not RESP
)

// maxNumber bounds the bytes of a count or length, its sign and end of line
// included. 2^63-1 has 19 digits; aof.c reads lines of at most 128 bytes.
const maxNumber = 32

// number reads a decimal and its "\r\n" at b[p:] and returns the index behind
// them. As in strtol, a plus sign and leading zeros are allowed; what does not
// fit in 18 digits is wrong.
func number(b []byte, p int) (n int64, next int, st status) {
	q := p
	if q < len(b) && b[q] == '+' {
		q++
	}
	first, u := q, uint64(0)
	for ; q < len(b); q++ {
		d := b[q] - '0'
		if d > 9 {
			break
		}
		if u = u*10 + uint64(d); u >= 1e18 || q-p > maxNumber {
			return 0, p, wrong
		}
	}
	switch {
	case q < len(b) && (b[q] != '\r' || q == first):
		return 0, p, wrong
	case q+1 < len(b) && b[q+1] != '\n':
		return 0, p, wrong
	case q+1 >= len(b):
		return 0, p, short
	}
	return int64(u), q + 2, done
}

// batch reads arguments at b[p:] that lie whole in b, at most n, and appends
// them to args and their indexes in b to starts. It returns the index of the
// first argument that it did not take.
func batch(b []byte, p int, n int64, args [][]byte, starts []int) ([][]byte, []int, int, status) {
	for ; n > 0; n-- {
		start, end, st := argument(b, p)
		if st != done {
			return args, starts, p, st
		}
		args = append(args, b[start:end:end])
		starts = append(starts, start)
		p = end + 2
	}
	return args, starts, p, done
}

// argument finds the data of the argument at b[p:]: "$length\r\n" data "\r\n".
func argument(b []byte, p int) (start, end int, st status) {
	if p >= len(b) {
		return 0, 0, short
	}
	if b[p] != '$' {
		return 0, 0, wrong
	}
	var n int64
	if n, start, st = number(b, p+1); st != done {
		return 0, 0, st
	}
	if n > int64(len(b)-start-2) {
		// What of the end of line is there must fit.
		if n == int64(len(b)-start-1) && b[len(b)-1] != '\r' {
			return 0, 0, wrong
		}
		return 0, 0, short
	}
	end = start + int(n)
	if b[end] != '\r' || b[end+1] != '\n' {
		return 0, 0, wrong
	}
	return start, end, done
}
