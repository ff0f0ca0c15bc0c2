package crypt_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/crypt"
)

// What is sealed for a recipient opens with the identity that belongs to it, and with
// no other.
func Example() {
	file, text, err := crypt.GenerateIdentity(true, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	recipient, err := crypt.ParseRecipient(text, crypt.UI{})
	if err != nil {
		log.Fatal(err)
	}
	var sealed bytes.Buffer
	w, err := crypt.Seal(&sealed, crypt.SealOptions{Recipients: []age.Recipient{recipient}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(w, strings.NewReader("a snapshot")); err != nil {
		log.Fatal(err) // not closed: what is there of it does not open
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	identities, err := crypt.ParseIdentities(bytes.NewReader(file))
	if err != nil {
		log.Fatal(err)
	}
	r, err := crypt.Unseal(bytes.NewReader(sealed.Bytes()), 0, identities...)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	plain, err := io.ReadAll(r)
	fmt.Printf("%s, %v\n", plain, err)

	_, err = crypt.Unseal(bytes.NewReader(sealed.Bytes()), 0)
	fmt.Println(errors.Is(err, crypt.ErrNoIdentity))
	// Output:
	// a snapshot, <nil>
	// true
}
