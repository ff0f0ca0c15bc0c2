package keymaterial

import (
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of PKCS#7 and PKCS#12 (RFC 5652; RFC 7292, 4.2).
const (
	oidData          = "1.2.840.113549.1.7.1"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidKeyBag        = "1.2.840.113549.1.12.10.1.1"
	oidShroudedBag   = "1.2.840.113549.1.12.10.1.2"
	oidCertBag       = "1.2.840.113549.1.12.10.1.3"
)

// Bounds of what is looked at of a store.
const (
	maxSafes = 16
	maxBags  = 256
)

// pkcs12 reads a PFX. What it says of the keys is what stands outside of what is
// encrypted; a store without any key in sight counts only if some of it is
// encrypted, since keys may be there.
func pkcs12(s cryptobyte.String) *Key {
	if !version(&s, 3) {
		return nil
	}
	safes, oid := content(&s)
	if oid != oidData {
		return nil
	}
	var list, all cryptobyte.String
	if !safes.ReadASN1(&list, tag.OCTET_STRING) {
		return nil
	}
	signed := []byte(list)
	list = definite(list)
	if !list.ReadASN1(&all, tag.SEQUENCE) {
		return nil
	}
	k := &Key{Format: "PKCS#12"}
	for n := 0; !all.Empty() && n < maxSafes; n++ {
		safe, oid := content(&all)
		switch oid {
		case oidEncryptedData:
			k.encryptedSafe(safe)
		case oidData:
			var text, bags cryptobyte.String
			if !safe.ReadASN1(&text, tag.OCTET_STRING) {
				return nil
			}
			if text = definite(text); !text.ReadASN1(&bags, tag.SEQUENCE) {
				return nil
			}
			k.bags(bags)
		default: // nothing readable, or sealed for a public key
			return nil
		}
	}
	if k.Entries == 0 && !k.Encrypted {
		return nil // certificates only
	}
	k.Default = opensPKCS12(s, signed)
	return k
}

// content reads a ContentInfo.
func content(s *cryptobyte.String) (cryptobyte.String, string) {
	var seq, explicit cryptobyte.String
	var id asn1.ObjectIdentifier
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&id) || !seq.ReadASN1(&explicit, tag.Tag(0).ContextSpecific().Constructed()) {
		return nil, ""
	}
	return explicit, id.String()
}

// encryptedSafe reads an EncryptedData: version, then what it is and how it is
// encrypted.
func (k *Key) encryptedSafe(s cryptobyte.String) {
	var seq, info cryptobyte.String
	var id asn1.ObjectIdentifier
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !version(&seq, 0, 2) || !seq.ReadASN1(&info, tag.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&id) {
		return
	}
	if cipher, kdf, ok := encryption(&info); ok {
		k.Encrypted = true
		if k.Cipher == "" {
			k.Cipher, k.KDF = cipher, kdf
		}
	}
}

// bags counts the keys of a SafeContents; a certificate gives their public half.
func (k *Key) bags(s cryptobyte.String) {
	for n := 0; !s.Empty() && n < maxBags; n++ {
		var bag, value cryptobyte.String
		var id asn1.ObjectIdentifier
		if !s.ReadASN1(&bag, tag.SEQUENCE) || !bag.ReadASN1ObjectIdentifier(&id) || !bag.ReadASN1(&value, tag.Tag(0).ContextSpecific().Constructed()) {
			return
		}
		var seq cryptobyte.String
		switch id.String() {
		case oidKeyBag:
			k.Entries++
			if value.ReadASN1(&seq, tag.SEQUENCE) && k.Fingerprint == "" && k.Entries == 1 {
				if inner := pkcs8(seq); inner != nil {
					k.Algorithm, k.Bits, k.Fingerprint = inner.Algorithm, inner.Bits, inner.Fingerprint
				}
			}
		case oidShroudedBag:
			k.Entries++
			k.Encrypted = true
			if value.ReadASN1(&seq, tag.SEQUENCE) {
				if cipher, kdf, ok := encryption(&seq); ok {
					k.Cipher, k.KDF = cipher, kdf
				}
			}
		case oidCertBag:
			k.certBag(value)
		}
	}
}

func (k *Key) certBag(s cryptobyte.String) {
	var seq, explicit, der cryptobyte.String
	var id asn1.ObjectIdentifier
	if k.Fingerprint == "" && s.ReadASN1(&seq, tag.SEQUENCE) && seq.ReadASN1ObjectIdentifier(&id) &&
		seq.ReadASN1(&explicit, tag.Tag(0).ContextSpecific().Constructed()) && explicit.ReadASN1(&der, tag.OCTET_STRING) {
		k.certificate(der)
	}
}

// maxCertificate is the size up to which a certificate is parsed.
const maxCertificate = 16 << 10

// certificate takes the public half from a certificate.
func (k *Key) certificate(der []byte) {
	if len(der) > maxCertificate {
		return
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return
	}
	if public := describePublic(cert.PublicKey); public != nil {
		k.Algorithm, k.Bits, k.Fingerprint = public.Algorithm, public.Bits, public.Fingerprint
	}
}
