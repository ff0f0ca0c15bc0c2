package scan

import "bytes"

// hashDumpFamily finds password hashes as tools and devices write them that do not
// follow crypt(3): dumps of Windows, tickets to be cracked, boot loaders, routers.
var hashDumpFamily = []rule{
	{id: "password-hash-windows", description: "Password hash dumped from Windows", category: PasswordHash, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{":::"}, find: findPwdump, next: nextHash},
	{id: "password-hash-ntlm", description: "NTLM challenge and response", category: PasswordHash, severity: High, confidence: Likely, rank: rankProof,
		keywords: []string{"::"}, find: findNetNTLM, next: nextHash},
	{id: "password-hash-kerberos", description: "Kerberos ticket that is encrypted with a password", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"$krb5tgs$", "$krb5asrep$", "$krb5pa$"}, find: findKerberos, next: nextHash},
	{id: "password-hash-mssql", description: "Password hash of SQL Server", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"0x0100", "0x0200"}, find: findMSSQL, next: nextHash},
	{id: "password-hash-grub", description: "Password hash of GRUB", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"grub.pbkdf2.sha512."}, find: findGRUB, next: nextHash},
	{id: "password-hash-crypt", description: "Password hash of NetBSD or of a router", category: PasswordHash, severity: High, confidence: Confirmed, rank: rankProof,
		keywords: []string{"$sha1$", "$8$", "$9$"}, find: findDeviceCrypt, next: nextHash},
}

// findPwdump: name:1001:LM hash:NT hash:::.
func findPwdump(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from < 66 || d[from-33] != ':' || d[from-66] != ':' {
		return
	}
	begin := runBack(d, from, 256, func(b byte) bool { return b > ' ' && b != '"' && b != '\'' })
	parts := bytes.Split(d[begin:from], []byte(":"))
	if len(parts) != 4 || !isDigits(parts[1]) || !isHexOf(parts[2], 32) || !isHexOf(parts[3], 32) {
		return
	}
	w.report(r, f, begin, from)
}

func isHexOf(v []byte, n int) bool { return len(v) == n && run(v, 0, n, isHex) == n }

// findNetNTLM: name::domain:challenge of eight bytes:response of 16:blob, and with
// version 1 two responses of 24.
func findNetNTLM(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	part := func(i int) []byte {
		return d[i:run(d, i, 1<<10, func(b byte) bool { return isAlnum(b) || b == '-' || b == '.' })]
	}
	at := to
	var parts [4][]byte
	for i := range parts {
		parts[i] = part(at)
		at += len(parts[i])
		if i < len(parts)-1 {
			if at >= len(d) || d[at] != ':' {
				return
			}
			at++
		}
	}
	version2 := isHexOf(parts[1], 16) && isHexOf(parts[2], 32) && len(parts[3]) >= 64 && isHexOf(parts[3], len(parts[3]))
	version1 := isHexOf(parts[1], 48) && isHexOf(parts[2], 48) && isHexOf(parts[3], 16)
	if begin := runBack(d, from, 64, func(b byte) bool { return isWord(b) || b == '.' || b == '-' || b == '$' }); begin < from && (version1 || version2) {
		w.report(r, f, begin, at)
	}
}

// maxPrincipal bounds what stands before the data of a ticket.
const maxPrincipal = 300

// findKerberos: $krb5tgs$23$*user$realm$service*$checksum$data.
func findKerberos(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	last := bytes.LastIndexByte(d[to:min(len(d), to+maxPrincipal)], '$')
	if last < 0 {
		return
	}
	data := to + last + 1
	if end := run(d, data, 8<<10, isHex); end-data >= 64 {
		w.report(r, f, from, end)
	}
}

// findMSSQL: 0x0100, a salt of four bytes and SHA-1, or 0x0200 and SHA-512.
func findMSSQL(w *worker, r *rule, f *fragment, from, to int) {
	end := run(f.data, to, 137, isHex)
	if n := end - to; n != 48 && n != 88 && n != 136 || f.data[to-3] == '2' && n != 136 {
		return
	}
	w.token(r, f, from, end, isWord)
}

// findGRUB: grub.pbkdf2.sha512.10000.salt.hash.
func findGRUB(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	rounds := run(d, to, 9, isDigit)
	if rounds == to || rounds >= len(d) || d[rounds] != '.' {
		return
	}
	salt := run(d, rounds+1, 257, isHex)
	if salt >= len(d) || d[salt] != '.' {
		return
	}
	if end := run(d, salt+1, 129, isHex); end-salt-1 == 128 {
		w.report(r, f, from, end)
	}
}

// findDeviceCrypt: $sha1$rounds$salt$hash of NetBSD, $8$salt$hash and $9$salt$hash
// of Cisco.
func findDeviceCrypt(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from > 0 && isWord(d[from-1]) {
		return
	}
	at, want, salt := to, 43, 14
	if lower(d[from+1]) == 's' {
		if at = run(d, to, 9, isDigit); at == to || at >= len(d) || d[at] != '$' {
			return
		}
		at, want, salt = at+1, 28, 0
	}
	mid := run(d, at, 64, isCrypt64)
	if mid >= len(d) || d[mid] != '$' || mid == at || salt > 0 && mid-at != salt {
		return
	}
	if end := run(d, mid+1, want+1, isCrypt64); end-mid-1 == want {
		w.report(r, f, from, end)
	}
}
