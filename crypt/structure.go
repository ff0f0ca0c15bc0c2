package crypt

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// Structure is what can be said of a sealed file without a key.
type Structure struct {
	Stanzas []string // the type of each recipient: "X25519", "mlkem768x25519", "scrypt" …
	Plain   int64    // bytes inside
}

const (
	// The sizes of age-encryption.org/v1, "Payload".
	payloadNonce = 16
	chunkSize    = 64 << 10
	// maxHeader and maxStanzas are the bounds of age's own reader.
	maxHeader  = 2 << 20
	maxStanzas = 1024
)

// Inspect reads a sealed, unarmored file to its end and checks its structure: the
// grammar of the header, and that the payload has a length that whole chunks
// give. That finds what is cut off inside a chunk or never was an age file; what
// was changed, a hash or a key has to tell. Errors are [ErrSealBroken],
// io.ErrUnexpectedEOF or those of r.
func Inspect(r io.Reader) (*Structure, error) {
	s := &Structure{}
	br := bufio.NewReaderSize(io.LimitReader(r, maxHeader), 64<<10)
	if err := s.header(br); err != nil {
		return nil, err
	}
	payload, err := io.Copy(io.Discard, br)
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(io.Discard, r) // behind the limit of the header
	if err != nil {
		return nil, err
	}
	payload += n - payloadNonce
	const sealed = chunkSize + chacha20poly1305.Overhead
	last := payload % sealed
	chunks := payload / sealed
	switch {
	case payload < chacha20poly1305.Overhead:
		return nil, io.ErrUnexpectedEOF
	case last == 0:
	case last < chacha20poly1305.Overhead || last == chacha20poly1305.Overhead && chunks > 0: // an empty chunk stands alone only
		return nil, io.ErrUnexpectedEOF
	default:
		chunks++
	}
	s.Plain = payload - chunks*chacha20poly1305.Overhead
	return s, nil
}

// header reads the text before the payload (age-encryption.org/v1, "Header").
func (s *Structure) header(r *bufio.Reader) error {
	line, err := headerLine(r)
	if err != nil {
		return err
	}
	if line+"\n" != magic {
		return ErrSealBroken
	}
	body := false
	for {
		if line, err = headerLine(r); err != nil {
			return err
		}
		switch {
		case body:
			data, err := base64.RawStdEncoding.Strict().DecodeString(line)
			if err != nil || len(line) > 64 || strings.ContainsRune(line, '\r') {
				return ErrSealBroken
			}
			body = len(data) == 48 // a stanza ends with a shorter line
		case strings.HasPrefix(line, "-> "):
			words := strings.Split(line[3:], " ")
			for _, w := range words {
				if w == "" || strings.IndexFunc(w, func(c rune) bool { return c < 33 || c > 126 }) >= 0 {
					return ErrSealBroken
				}
			}
			if s.Stanzas = append(s.Stanzas, words[0]); len(s.Stanzas) > maxStanzas {
				return ErrSealBroken
			}
			body = true
		case strings.HasPrefix(line, "--- ") && len(s.Stanzas) > 0:
			if mac, err := base64.RawStdEncoding.Strict().DecodeString(line[4:]); err != nil || len(mac) != 32 {
				return ErrSealBroken
			}
			return nil
		default:
			return ErrSealBroken
		}
	}
}

func headerLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull:
		return "", ErrSealBroken
	case err == io.EOF:
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	return string(bytes.TrimSuffix(line, []byte("\n"))), nil
}
