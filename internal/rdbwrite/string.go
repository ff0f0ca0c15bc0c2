package rdbwrite

import (
	"encoding/binary"
	"math"
	"strconv"
)

// appendLength writes a length: rdbSaveLen of src/rdb.c.
func appendLength(b []byte, n uint64) []byte {
	switch {
	case n < 1<<6:
		return append(b, byte(n))
	case n < 1<<14:
		return append(b, 0x40|byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, 0x80), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 0x81), n)
}

// appendString writes a string, as an integer where it is one of up to 32 bits in
// the form that servers print: rdbSaveRawString of src/rdb.c.
func appendString(b, p []byte) []byte {
	if n, ok := integer(p); ok {
		switch {
		case n == int64(int8(n)):
			return append(b, 0xc0, byte(n))
		case n == int64(int16(n)):
			return binary.LittleEndian.AppendUint16(append(b, 0xc1), uint16(n))
		case n == int64(int32(n)):
			return binary.LittleEndian.AppendUint32(append(b, 0xc2), uint32(n))
		}
	}
	return append(appendLength(b, uint64(len(p))), p...)
}

// maxDigits is the length of the longest integer of 64 bits, with its sign.
const maxDigits = 20

// integer reads p as an integer that is written exactly as p.
func integer(p []byte) (int64, bool) {
	if len(p) == 0 || len(p) > maxDigits {
		return 0, false
	}
	n, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil {
		return 0, false
	}
	var room [maxDigits]byte
	return n, string(strconv.AppendInt(room[:0], n, 10)) == string(p)
}

// appendScore writes the score of a sorted set: rdbSaveBinaryDoubleValue of
// src/rdb.c, or rdbSaveDoubleValue before version 8.
func (w *Writer) appendScore(b []byte, f float64) []byte {
	if w.version.valkey() || w.version.Number >= sinceBinary {
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	switch {
	case math.IsNaN(f):
		return append(b, 253)
	case math.IsInf(f, 1):
		return append(b, 254)
	case math.IsInf(f, -1):
		return append(b, 255)
	}
	text := strconv.AppendFloat(nil, f, 'g', 17, 64)
	return append(append(b, byte(len(text))), text...)
}
