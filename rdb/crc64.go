package rdb

import "encoding/binary"

// CRC-64/Jones, as src/crc64.c of both servers computes it: reflected
// polynomial 0x95ac9329ac4bc9b5, initial value 0, no final xor. (The crc64 of
// the standard library complements before and after.)
const crcPoly = 0x95ac9329ac4bc9b5

// crcTables[k][b] is the checksum of byte b followed by k zero bytes: the
// tables of slicing by 16.
var crcTables = func() (t [16][256]uint64) {
	for b := range 256 {
		c := uint64(b)
		for range 8 {
			if c&1 != 0 {
				c = c>>1 ^ crcPoly
			} else {
				c >>= 1
			}
		}
		t[0][b] = c
	}
	for k := 1; k < 16; k++ {
		for b := range 256 {
			c := t[k-1][b]
			t[k][b] = t[0][byte(c)] ^ c>>8
		}
	}
	return t
}()

// Checksum returns the servers' CRC-64 of the bytes that led to crc (0 at the
// start) followed by p.
func Checksum(crc uint64, p []byte) uint64 {
	t := &crcTables
	for len(p) >= 16 {
		a := binary.LittleEndian.Uint64(p) ^ crc
		b := binary.LittleEndian.Uint64(p[8:])
		crc = t[15][byte(a)] ^ t[14][byte(a>>8)] ^ t[13][byte(a>>16)] ^ t[12][byte(a>>24)] ^
			t[11][byte(a>>32)] ^ t[10][byte(a>>40)] ^ t[9][byte(a>>48)] ^ t[8][a>>56] ^
			t[7][byte(b)] ^ t[6][byte(b>>8)] ^ t[5][byte(b>>16)] ^ t[4][byte(b>>24)] ^
			t[3][byte(b>>32)] ^ t[2][byte(b>>40)] ^ t[1][byte(b>>48)] ^ t[0][b>>56]
		p = p[16:]
	}
	for _, b := range p {
		crc = t[0][byte(crc)^b] ^ crc>>8
	}
	return crc
}
