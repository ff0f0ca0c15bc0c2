package keymaterial

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// HeadSize is how many bytes Sniff wants at least.
const HeadSize = 8

// Sniff reports whether data, of which no more than the beginning need be there,
// begins as a binary key or store does.
func Sniff(data []byte) bool {
	if len(data) < HeadSize {
		return false
	}
	switch data[0] {
	case 0x30:
		at := 2
		switch {
		case data[1] == 0x81:
			at = 3
		case data[1] == 0x82:
			at = 4
		case data[1] == indefinite: // PKCS#12 in BER
			return data[2] == 2 && data[3] == 1 && data[4] == 3 && data[5] == 0x30
		case data[1] < 0x20 || data[1] >= 0x80: // shorter than any key, or longer
			return false
		}
		rest := data[at:]
		switch {
		case rest[0] == 2 && rest[1] == 1:
			return rest[2] == 0 && (rest[3] == 0x30 || rest[3] == 2) || // PKCS#8, PKCS#1
				rest[2] == 1 && (rest[3] == 4 || rest[3] == 0x30) || // SEC 1, PKCS#8 with a public key
				rest[2] == 3 && rest[3] == 0x30 // PKCS#12
		case rest[0] == 0x30 && rest[2] == 6: // encrypted PKCS#8
			return rest[1] < 0x80 && rest[3] < 0x10
		}
	case 0xfe, 0xce:
		return storeMagics[binary.BigEndian.Uint32(data)] != "" && data[4] == 0 && data[5] == 0 && data[6] == 0 && (data[7] == 1 || data[7] == 2)
	case opensshMagic[0]:
		return bytes.HasPrefix(data, opensshMagic[:min(len(opensshMagic), len(data))])
	}
	return false
}

// Binary reads a key or store that is not text: data must be all of it.
func Binary(data []byte) *Key {
	if !Sniff(data) {
		return nil
	}
	switch data[0] {
	case 0x30:
		return DER(data)
	case opensshMagic[0]:
		return OpenSSH(data)
	}
	return JKS(data)
}

// Framed reports whether data, which Sniff takes for a key, is as long as it says.
// It is for those who cannot afford Binary.
func Framed(data []byte) bool {
	if !Sniff(data) || data[0] != 0x30 {
		return Sniff(data)
	}
	if data[1] == indefinite {
		return data[len(data)-1] == 0 && data[len(data)-2] == 0
	}
	var seq cryptobyte.String
	in := cryptobyte.String(data)
	return in.ReadASN1(&seq, tag.SEQUENCE) && in.Empty()
}
