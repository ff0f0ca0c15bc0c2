package scan

import "slices"

// plain is what of a finding was masked, as it is.
type plain struct {
	secret, key, keyB64, field, fieldB64 string
	chain                                []string
	identity, proof                      map[string]string
}

func newPlain(f *Finding, m *match, key, field []byte) *plain {
	p := &plain{secret: m.secret, chain: slices.Clone(f.Chain), proof: f.Proof}
	p.key, p.keyB64 = text(key)
	p.field, p.fieldB64 = text(field)
	return p
}

// Plain returns a copy of f with nothing masked in it if Config.Plain was set,
// else a copy as it is. It is for those who may read secrets.
func (f *Finding) Plain() *Finding {
	c := *f
	if p := f.plain; p != nil {
		c.Secret, c.Key, c.KeyB64, c.Field, c.FieldB64, c.Chain, c.Proof = p.secret, p.key, p.keyB64, p.field, p.fieldB64, p.chain, p.proof
		if p.identity != nil {
			c.Identity = p.identity
		}
	}
	c.plain = nil
	return &c
}
