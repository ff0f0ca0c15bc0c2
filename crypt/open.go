package crypt

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// ErrNoIdentity says that a file is sealed to recipients of whom no identity
// was given.
var ErrNoIdentity = errors.New("none of the given identities opens it")

// ErrPassphrase says that a file is sealed with a passphrase instead of keys,
// and that none which opens it was given.
var ErrPassphrase = errors.New("sealed with a passphrase, and no right one was given")

// ErrSealBroken says that a sealed file is not what was written: its header or
// a chunk of it fails authentication, or bytes follow its end.
var ErrSealBroken = errors.New("sealed data is damaged or was changed")

// errNoAge is the ErrSealBroken of what may never have been sealed.
var errNoAge = fmt.Errorf("%w: no age file begins so", ErrSealBroken)

// magic is the first line of every age file (age-encryption.org/v1, "Header").
const magic = "age-encryption.org/v1\n"

// sniffSpace is how much white space may stand before armor
// (filippo.io/age/armor, maxWhitespace).
const sniffSpace = 1024

// Sniff reports whether head, the first bytes of a file, begins an age file,
// plain or armored.
func Sniff(head []byte) bool {
	if bytes.HasPrefix(head, []byte(magic)) {
		return true
	}
	space := bytes.TrimLeft(head, " \t\r\n")
	return len(head)-len(space) <= sniffSpace && bytes.HasPrefix(space, []byte(armor.Header))
}

// Open returns the plaintext of the age file in r, armored or not. It reads and
// checks the header; the chunks of 64 KiB are authenticated as the result is
// read, so what was read before an error is genuine.
//
// A file that no identity opens gives [ErrNoIdentity] or [ErrPassphrase], one
// that ends early io.ErrUnexpectedEOF, one that was changed [ErrSealBroken];
// errors of r are passed on as they are. The result is not safe for concurrent
// use, and it reads r ahead.
func Open(r io.Reader, identities ...age.Identity) (io.Reader, error) {
	src := &source{r: r}
	br := bufio.NewReader(src)
	in := io.Reader(br)
	if head, _ := br.Peek(len(magic)); !bytes.Equal(head, []byte(magic)) {
		head, err := br.Peek(sniffSpace + len(armor.Header))
		if len(head) >= len(magic) && !Sniff(head) && (err == nil || err == io.EOF) {
			return nil, errNoAge
		}
		in = armor.NewReader(br)
	}
	if len(identities) == 0 {
		identities = []age.Identity{noIdentity{}}
	}
	plain, err := age.Decrypt(in, identities...)
	if err != nil {
		var asked *askError
		if errors.As(err, &asked) {
			return nil, asked.error
		}
		return nil, src.explain(err)
	}
	return &reader{plain: plain, src: src}, nil
}

// noIdentity opens nothing. With it a file's header is read before it is said
// that no identity was given, so that a damaged header is told apart.
type noIdentity struct{}

func (noIdentity) Unwrap([]*age.Stanza) ([]byte, error) { return nil, age.ErrIncorrectIdentity }

type reader struct {
	plain io.Reader
	src   *source
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.plain.Read(p)
	if err != nil && err != io.EOF {
		err = r.src.explain(err)
	}
	return n, err
}

// source remembers how the sealed stream ended, because the layers above wrap
// its errors or reword them.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// explain turns an error of the age module into one of this package. The
// module's own messages may quote lines of the input.
func (s *source) explain(err error) error {
	var mismatch *age.NoIdentityMatchError
	switch {
	case s.err != nil && s.err != io.EOF:
		return s.err
	case errors.As(err, &mismatch):
		for _, t := range mismatch.StanzaTypes {
			if t == "scrypt" { // the stanza of a passphrase, age-encryption.org/v1
				return ErrPassphrase
			}
		}
		return ErrNoIdentity
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return ErrSealBroken
}
