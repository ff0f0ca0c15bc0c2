package scan

import (
	"bytes"
	"slices"
)

// awsFamily finds access keys of Amazon Web Services. The id is public and says
// which account; the secret is 40 characters without a mark, so outside a field
// of its name it counts only beside an id: in the same value, or the same key.
var awsFamily = []rule{
	{id: awsID, description: "AWS access key id", category: Credential, severity: Medium, confidence: Likely, rank: rankFormat, public: true,
		keywords: []string{"akia", "asia", "abia", "acca"}, find: findAWSID, next: nextAWS},
	{id: awsSecret, description: "AWS secret access key", category: Credential, severity: Critical, confidence: Likely, rank: rankFormat,
		keywords: []string{"secret"}, find: findAWSSecret, next: nextAWS},
}

const (
	awsID     = "aws-access-token"
	awsSecret = "aws-secret-access-key"
	nextAWS   = "deactivate the access key in IAM, then look through CloudTrail for its use"

	awsSecretLen = 40
)

func isAWSSecretByte(b byte) bool { return isStd64(b) || b == '=' }

// findAWSID: four letters of kind and 16 of base 32 (IAM's unique identifiers).
func findAWSID(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	for _, b := range d[from:to] {
		if b < 'A' || b > 'Z' {
			return
		}
	}
	end := run(d, to, 17, func(b byte) bool { return b >= 'A' && b <= 'Z' || b >= '2' && b <= '7' })
	if end-to != 16 {
		return
	}
	if bytes.HasSuffix(d[from:end], []byte("EXAMPLE")) {
		w.exclude(exampleValue)
		return
	}
	w.token(r, f, from, end, isAlnum)
}

// findAWSSecret: a secret behind a name such as aws_secret_access_key, in text.
func findAWSSecret(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	begin, end := runBack(d, from, maxNameBefore, isNameByte), run(d, to, maxNameAfter, isNameByte)
	if !isAWSName(d[begin:end]) {
		return
	}
	at := run(d, end, 8, func(b byte) bool {
		return b == ' ' || b == '"' || b == '\'' || b == '=' || b == ':' || b == '>' || b == '\\' || b == '\t'
	})
	if stop := run(d, at, awsSecretLen+1, isAWSSecretByte); stop-at == awsSecretLen && isAWSSecret(d[at:stop]) {
		w.report(r, f, at, stop)
	}
}

// isAWSValue reports whether a value can be a secret, and its key says that it is
// of AWS: app:aws:key.
func (w *worker) isAWSValue(v []byte) bool {
	return len(v) == awsSecretLen && w.s.byID[awsSecret] != nil && isAWSSecret(v) && isAWSName(w.b.bytes(w.key.name))
}

// isAWSName reports whether a name is of a secret access key.
func isAWSName(name []byte) bool { return awsWords.match(name) }

var awsWords = newWordSet([]string{"aws", "secretaccess", "secret_access", "secret-access", "accesskeysecret"})

// isAWSSecret reports whether 40 characters can be a secret rather than a
// digest or words.
func isAWSSecret(v []byte) bool {
	s := shapeOf(v)
	return s.hex < len(v) && s.upper > 2 && s.lower > 2 && s.digit > 0 && entropy(v) > 4 && !bytes.Contains(v, []byte("EXAMPLE")) && !placeholder(v)
}

// loneSecrets reports the words of f that can be a secret without a name.
func (w *worker) loneSecrets(f *fragment) {
	d := f.data
	for i := 0; i < len(d); {
		if !isAWSSecretByte(d[i]) {
			i++
			continue
		}
		end := run(d, i, len(d), isAWSSecretByte)
		if end-i == awsSecretLen && isAWSSecret(d[i:end]) && !joinsURL64(d, i) && !joinsURL64(d, end+1) {
			w.report(w.s.byID[awsSecret], f, i, end)
		}
		i = end
	}
}

// joinsURL64 reports whether the character before place i is one that only the URL
// form of base64 has: what stands beside it is a piece of something longer.
func joinsURL64(d []byte, i int) bool {
	return i > 0 && i <= len(d) && (d[i-1] == '-' || d[i-1] == '_')
}

// pairing is what is known of the access keys in the current key.
type pairing struct {
	seeking bool // a partner is sought: only loneSecrets are asked
	ids     []*Finding
	secrets []*Finding
}

// pairLeaf looks once more through a leaf that holds an id without a secret.
func (w *worker) pairLeaf() {
	if w.aws.seeking || !w.holds(awsID) || w.holds(awsSecret) || w.s.byID[awsSecret] == nil {
		return
	}
	w.seek()
}

func (w *worker) holds(id string) bool {
	return slices.ContainsFunc(w.matches, func(m match) bool { return m.rule.id == id })
}

func (w *worker) seek() {
	w.aws.seeking = true
	w.scanRoot(w.root.data, w.root.hits, w.root.base, w.root.isName)
	w.aws.seeking = false
}

// pairKey, at the end of a key, looks through its other leaves if one held an
// id and none a secret, and says what belongs together.
func (w *worker) pairKey(leaves []leaf) {
	p := &w.aws
	if len(p.ids) > 0 && len(p.secrets) == 0 && len(w.b.leaves) > 1 {
		for i := range leaves {
			if l := &leaves[i]; l.where != WhereKey && l.value.len() >= awsSecretLen {
				w.leaf, w.fresh = l, false
				w.start()
				w.root = root{data: w.b.bytes(l.value), base: l.value.from}
				w.seek()
				w.keep(true)
			}
		}
	}
	for i, id := range p.ids {
		if len(p.secrets) == 0 {
			break
		}
		secret := p.secrets[min(i, len(p.secrets)-1)]
		id.Confidence, secret.Confidence, id.Severity = Confirmed, Confirmed, Critical
		id.Also, secret.Also = append(id.Also, secret.ID), append(secret.Also, id.ID)
	}
	p.ids, p.secrets = p.ids[:0], p.secrets[:0]
}

// notePair remembers a finding until its key ends.
func (w *worker) notePair(f *Finding) {
	switch f.Rule {
	case awsID:
		w.aws.ids = append(w.aws.ids, f)
	case awsSecret:
		w.aws.secrets = append(w.aws.secrets, f)
	}
}
