package keymaterial

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the format's own
	"encoding/binary"
	"fmt"
)

// openPGPArmour reads the first packet of an armoured key (RFC 9580, 6).
func openPGPArmour(body []byte) *Key {
	// The checksum is optional, and stands behind "=" on a line of its own.
	sum := []byte(nil)
	if i := bytes.LastIndex(body, []byte("\n=")); i >= 0 {
		if sum = decodeLoose(body[i+2:]); len(sum) != 3 {
			return nil
		}
		body = body[:i]
	}
	data := decodeLoose(body)
	if data == nil || sum != nil && crc24(data) != uint32(sum[0])<<16|uint32(sum[1])<<8|uint32(sum[2]) {
		return nil
	}
	return openPGP(data)
}

// crc24 is the checksum of the armour (RFC 9580, 6.1).
func crc24(data []byte) uint32 {
	crc := uint32(0xb704ce)
	for _, b := range data {
		crc ^= uint32(b) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= 0x1864cfb
			}
		}
	}
	return crc & 0xffffff
}

// openPGP reads a secret key packet of version 4 (5.5.3).
func openPGP(data []byte) *Key {
	packet := secretPacket(data)
	if len(packet) < 8 || packet[0] != 4 {
		return nil
	}
	k := &Key{Format: "OpenPGP"}
	r := mpis{packet[6:]}
	switch algorithm := packet[5]; algorithm {
	case 1, 2, 3:
		k.Algorithm, k.Bits = "RSA", r.mpi()
		r.mpi()
	case 17:
		k.Algorithm, k.Bits = "DSA", r.mpi()
		r.mpi()
		r.mpi()
		r.mpi()
	case 19, 22:
		k.Algorithm = map[byte]string{19: "ECDSA", 22: "EdDSA"}[algorithm]
		oid := r.take(int(r.byte()))
		if name := pgpCurves[string(oid)]; name != "" {
			k.Algorithm += " " + name
		}
		r.mpi()
	case 27, 28: // Ed25519, Ed448
		k.Algorithm = map[byte]string{27: "Ed25519", 28: "Ed448"}[algorithm]
		r.take(map[byte]int{27: 32, 28: 57}[algorithm])
	default:
		return nil
	}
	if len(r.rest) < 2 {
		return nil
	}
	public := packet[:len(packet)-len(r.rest)]
	h := sha1.New() //nolint:gosec // the format's own
	h.Write([]byte{0x99, byte(len(public) >> 8), byte(len(public))})
	h.Write(public)
	k.Fingerprint = fmt.Sprintf("%X", h.Sum(nil))
	switch usage := r.byte(); usage {
	case 0:
	case 253, 254, 255:
		k.Encrypted = true
		k.Cipher = map[byte]string{2: "3des", 3: "cast5", 4: "blowfish", 7: "aes-128", 8: "aes-192", 9: "aes-256", 10: "twofish", 11: "camellia-128", 12: "camellia-192", 13: "camellia-256"}[r.byte()]
	default:
		k.Encrypted = true
	}
	return k
}

var pgpCurves = map[string]string{
	"\x2b\x06\x01\x04\x01\xda\x47\x0f\x01": "Ed25519", "\x2a\x86\x48\xce\x3d\x03\x01\x07": "P-256", "\x2b\x81\x04\x00\x22": "P-384", "\x2b\x81\x04\x00\x23": "P-521", "\x2b\x81\x04\x00\x0a": "secp256k1",
}

// secretPacket returns the body of the first packet if it is a secret key (4.2).
func secretPacket(data []byte) []byte {
	if len(data) < 6 || data[0]&0x80 == 0 {
		return nil
	}
	var kind byte
	var n, at int
	if data[0]&0x40 != 0 {
		kind = data[0] & 0x3f
		switch l := int(data[1]); {
		case l < 192:
			n, at = l, 2
		case l < 224:
			n, at = (l-192)<<8+int(data[2])+192, 3
		case l == 255:
			n, at = int(binary.BigEndian.Uint32(data[2:])), 6
		default:
			return nil
		}
	} else {
		kind = data[0] >> 2 & 0xf
		switch data[0] & 3 {
		case 0:
			n, at = int(data[1]), 2
		case 1:
			n, at = int(binary.BigEndian.Uint16(data[1:])), 3
		case 2:
			n, at = int(binary.BigEndian.Uint32(data[1:])), 5
		default:
			return nil
		}
	}
	if kind != 5 || n > len(data)-at {
		return nil
	}
	return data[at : at+n]
}

// mpis reads numbers with their lengths in bits (3.2).
type mpis struct{ rest []byte }

func (m *mpis) take(n int) []byte {
	if n > len(m.rest) {
		m.rest = nil
		return nil
	}
	b := m.rest[:n]
	m.rest = m.rest[n:]
	return b
}

func (m *mpis) byte() byte {
	if b := m.take(1); b != nil {
		return b[0]
	}
	return 0
}

// mpi skips a number and returns how many bits it has.
func (m *mpis) mpi() int {
	head := m.take(2)
	if head == nil {
		return 0
	}
	bits := int(binary.BigEndian.Uint16(head))
	m.take((bits + 7) / 8)
	return bits
}
