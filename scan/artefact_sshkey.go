package scan

import (
	"bytes"
	"encoding/binary"
)

// sshKeyFamily finds public keys of SSH between line breaks: as a value is
// written that is to work in a snapshot called authorized_keys (sshd(8), section
// AUTHORIZED_KEYS FILE FORMAT). A key that an application keeps has no use for
// them.
var sshKeyFamily = []rule{
	{id: "authorized-keys", description: "SSH public key between line breaks, to be read as authorized_keys", category: Artefact, severity: Critical, confidence: Likely, rank: rankDelivery, technique: "T1098.004",
		keywords: []string{"ssh-rsa aaaa", "ssh-dss aaaa", "ssh-ed25519 aaaa", "ecdsa-sha2-nistp256 aaaa", "ecdsa-sha2-nistp384 aaaa", "ecdsa-sha2-nistp521 aaaa",
			"sk-ssh-ed25519@openssh.com aaaa", "sk-ecdsa-sha2-nistp256@openssh.com aaaa"}, find: findAuthorizedKey,
		next: "look for the key in authorized_keys of every account that the server can write as, and isolate the host"},
}

func findAuthorizedKey(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	before, after := lineBreaks(d)
	if before == 0 || f.isName {
		return
	}
	space := bytes.IndexByte(d[from:to], ' ')
	kind := d[from : from+space]
	if !isSSHKey(kind, d[from+space+1:]) {
		return
	}
	begin, end := lineAround(d, from)
	if first := run(d, 0, len(d), isSpace); begin > first {
		return // something else stands between the breaks
	}
	begin, end = trimmed(d, begin, end)
	if m := w.report(r, f, begin, end); before > 1 && after > 0 {
		m.confidence = Confirmed
	}
}

// isSSHKey reports whether base64 text begins with the name of its kind, as the
// keys of SSH do (RFC 4253, section 6.6).
func isSSHKey(kind, text []byte) bool {
	var buf [48]byte
	head := text[:run(text, 0, 64, isStd64)/4*4]
	enc := base64Encoding(head)
	if enc == nil {
		return false
	}
	n, err := enc.Decode(buf[:], head)
	if err != nil || n < 4+len(kind) {
		return false
	}
	return int(binary.BigEndian.Uint32(buf[:])) == len(kind) && bytes.Equal(buf[4:4+len(kind)], kind)
}
