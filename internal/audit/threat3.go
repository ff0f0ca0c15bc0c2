package audit

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Network eavesdropping.
var threat3 = []Check{
	{ID: "VFS-TLS-001", Threat: 3, Severity: High, Title: "What leaves the host is encrypted", References: []string{"NIST 800-53 SC-8", "STIG V-251248", "STIG V-251249", "CWE-319", "ATT&CK T1040"}, run: checkTLS},
	{ID: "VFS-TLS-002", Threat: 3, Severity: High, Title: "Replication and the cluster bus use TLS", References: []string{"NIST 800-53 SC-8", "STIG V-251248", "CWE-319"}, run: checkTLSLinks},
	{ID: "VFS-TLS-003", Threat: 3, Severity: Medium, Title: "Clients show a certificate", References: []string{"NIST 800-53 IA-3", "NIST 800-53 SC-8", "STIG V-251225"}, run: checkTLSClients},
	{ID: "VFS-TLS-004", Threat: 3, Severity: High, Title: "TLS 1.2 or newer", References: []string{"NIST 800-53 SC-8", "STIG V-251248", "CWE-326"}, run: checkTLSProtocols},
	{ID: "VFS-TLS-005", Threat: 3, Severity: High, Title: "No weak ciphers", References: []string{"NIST 800-53 SC-13", "STIG V-251229", "CWE-327"}, run: checkTLSCiphers},
	{ID: "VFS-TLS-006", Threat: 3, Severity: High, Title: "The private key is for the server only", References: []string{"NIST 800-53 SC-12", "STIG V-251226", "CWE-732", "ATT&CK T1552.004"}, run: checkTLSKey},
	{ID: "VFS-TLS-007", Threat: 3, Severity: High, Title: "The certificate is valid and strong", References: []string{"NIST 800-53 SC-17", "STIG V-251225", "CWE-295"}, run: checkTLSCertificate},
	{ID: "VFS-TLS-008", Threat: 3, Severity: Medium, Title: "Certificate and key belong together, and name the host", References: []string{"NIST 800-53 SC-17", "CWE-297"}, run: checkTLSPair},
	{ID: "VFS-TLS-009", Threat: 3, Severity: Low, Title: "The key's passphrase does not stand beside it", References: []string{"NIST 800-53 IA-5", "CWE-256"}, run: checkTLSPass},
	{ID: "VFS-TLS-010", Threat: 3, Severity: Medium, Title: "Clients use TLS and verify the server", References: []string{"NIST 800-53 SC-8", "STIG V-251225", "CWE-295"}, run: checkTLSUse},
	{ID: "VFS-TLS-011", Threat: 3, Severity: Medium, Title: "The network segment is closed to others", References: []string{"NIST 800-53 SC-7"}, run: checkFirewall},
}

func checkTLS(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	port, tls := s.Server.Conf.Get("port"), s.Server.Conf.Get("tls-port")
	if !s.Server.Public() {
		return pass(at(s.Server.Conf.Get("bind")), "the server listens on this host only")
	}
	plain, secure := false, false
	for _, l := range s.Server.Listeners() {
		if !l.Loopback {
			plain, secure = plain || !l.TLS, secure || l.TLS
		}
	}
	switch {
	case plain && secure:
		return []Answer{fail(at(port), "port 0", "the port without TLS is open beside the one with TLS")}
	case plain && s.inside():
		return []Answer{fail(at(tls), "port 0\ntls-port 6379", "other containers reach the server, which has no TLS port").severe(Medium)}
	case plain:
		return []Answer{fail(at(tls), "port 0\ntls-port 6379", "the server is reachable from other hosts, and has no TLS port")}
	}
	return pass(at(tls), "tls-port %s, port 0", tls.Text)
}

func checkTLSLinks(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	var fs []Answer
	links := 0
	if s.Server.Replica() || s.Server.Sentinel {
		links++
		if v := s.Server.Conf.Get("tls-replication"); !v.Bool() {
			fs = append(fs, fail(at(v), "tls-replication yes", "the link to the primary is not encrypted"))
		}
	}
	if s.Server.Cluster() {
		links++
		if v := s.Server.Conf.Get("tls-cluster"); !v.Bool() {
			fs = append(fs, fail(at(v), "tls-cluster yes", "the cluster bus is not encrypted"))
		}
	}
	if links == 0 {
		return na("neither replica nor node of a cluster")
	}
	return orPass(fs, Place{File: s.Name}, "links to other servers are encrypted")
}

// usesTLS reports whether the server speaks TLS anywhere.
func (s *Subject) usesTLS() bool {
	c := s.Server.Conf
	return c.Get("tls-port").Text != "0" && c.Get("tls-port").Text != "" || c.Get("tls-replication").Bool() || c.Get("tls-cluster").Bool()
}

// withTLS answers for servers without TLS or without a configuration, nil for others.
func (s *Subject) withTLS() []Answer {
	switch {
	case s.Server == nil:
		return unknown(noConf)
	case !s.usesTLS():
		return na("no TLS")
	}
	return nil
}

func checkTLSClients(s *Subject) []Answer {
	if a := s.withTLS(); a != nil {
		return a
	}
	v := s.Server.Conf.Get("tls-auth-clients")
	if v.Bool() {
		return pass(at(v), "tls-auth-clients yes")
	}
	return []Answer{fail(at(v), "tls-auth-clients yes", "tls-auth-clients %s: a client need not show a certificate", clip(v.Text))}
}

func checkTLSProtocols(s *Subject) []Answer {
	if a := s.withTLS(); a != nil {
		return a
	}
	v := s.Server.Conf.Get("tls-protocols")
	for _, p := range strings.Fields(v.Text) {
		if !strings.EqualFold(p, "TLSv1.2") && !strings.EqualFold(p, "TLSv1.3") {
			return []Answer{fail(at(v), `tls-protocols "TLSv1.2 TLSv1.3"`, "%s is allowed", clip(p))}
		}
	}
	if v.Text == "" {
		return pass(at(v), "tls-protocols is not set: TLSv1.2 and TLSv1.3")
	}
	return pass(at(v), "tls-protocols %s", v.Text)
}

func checkTLSCiphers(s *Subject) []Answer {
	if a := s.withTLS(); a != nil {
		return a
	}
	v := s.Server.Conf.Get("tls-ciphers")
	for _, c := range strings.FieldsFunc(v.Text, func(r rune) bool { return r == ':' || r == ' ' || r == ',' }) {
		if strings.HasPrefix(c, "!") || strings.HasPrefix(c, "-") {
			continue
		}
		for _, weak := range []string{"NULL", "RC4", "DES", "MD5", "EXP", "ADH", "AECDH", "LOW", "ALL", "aNULL", "eNULL", "COMPLEMENTOFALL"} {
			if c == weak || strings.Contains(c, weak) && weak != "ALL" && weak != "LOW" {
				return []Answer{fail(at(v), "tls-ciphers DEFAULT:!MEDIUM", "%s is allowed", clip(c))}
			}
		}
	}
	if v.Text == "" {
		return pass(at(v), "tls-ciphers is not set: the library's default")
	}
	return pass(at(v), "no weak cipher is named")
}

func checkTLSKey(s *Subject) []Answer {
	if a := s.withTLS(); a != nil {
		return a
	}
	var fs []Answer
	seen := Place{}
	for _, name := range []string{"tls-key-file", "tls-client-key-file"} {
		v := s.Server.Conf.Get(name)
		if v.Text == "" {
			continue
		}
		file := s.path(v.Text)
		info, err := s.FS.Stat(file)
		if err != nil {
			return unknown("%s: %v", name, err)
		}
		seen = Place{File: file}
		if info.Perm()&0o077 != 0 {
			fs = append(fs, fail(seen, "chmod 0600 "+file, "%s has mode %04o", name, info.Perm()))
		}
	}
	if seen.File == "" {
		return unknown("tls-key-file is not set")
	}
	return orPass(fs, seen, "mode 0600 or less")
}

func checkTLSCertificate(s *Subject) []Answer {
	if a := s.withTLS(); a != nil {
		return a
	}
	if s.Server.Conf.Get("tls-cert-file").Text == "" {
		return unknown("tls-cert-file is not set")
	}
	var fs, open []Answer
	sound := ""
	where := Place{}
	for _, name := range []string{"tls-cert-file", "tls-client-cert-file"} {
		v := s.Server.Conf.Get(name)
		if v.Text == "" {
			continue
		}
		where = Place{File: s.path(v.Text)}
		c, err := readCertificate(s.FS, where.File)
		if err != nil {
			open = append(open, unknown("%s: %v", name, err)...)
			continue
		}
		weak := certificateFaults(c, s.Now, where)
		fs = append(fs, weak...)
		ends := c.NotAfter.UTC().Format(time.DateOnly)
		if sound = fmt.Sprintf("%v, valid until %s", c.SignatureAlgorithm, ends); s.Now.IsZero() && len(weak) == 0 {
			open = append(open, Answer{Status: Unknown, Place: where, Evidence: "ends on " + ends + "; whether that is past depends on --as-of"})
		}
	}
	if len(open) > 0 {
		return append(fs, open...)
	}
	return orPass(fs, where, "%s", sound)
}

// certificateFaults returns what is wrong with a certificate in itself and, unless
// now is zero, at a time.
func certificateFaults(c *x509.Certificate, now time.Time, where Place) []Answer {
	var fs []Answer
	const remedy = "a new certificate"
	if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		fs = append(fs, fail(where, remedy, "an RSA key of %d bits", k.N.BitLen()))
	}
	switch c.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA, x509.MD2WithRSA:
		fs = append(fs, fail(where, remedy, "signed with %v", c.SignatureAlgorithm))
	}
	if now.IsZero() {
		return fs
	}
	switch left := c.NotAfter.Sub(now); {
	case left < 0:
		fs = append(fs, fail(where, remedy, "expired on %s", c.NotAfter.UTC().Format(time.DateOnly)))
	case now.Before(c.NotBefore):
		fs = append(fs, fail(where, remedy, "not valid before %s", c.NotBefore.UTC().Format(time.DateOnly)))
	case left < 30*24*time.Hour:
		fs = append(fs, fail(where, remedy, "expires on %s", c.NotAfter.UTC().Format(time.DateOnly)).severe(Medium))
	}
	return fs
}

func checkTLSPair(s *Subject) []Answer {
	if a := s.withTLS(); a != nil {
		return a
	}
	cert, key := s.Server.Conf.Get("tls-cert-file").Text, s.Server.Conf.Get("tls-key-file").Text
	if cert == "" {
		return unknown("tls-cert-file is not set")
	}
	where := Place{File: s.path(cert)}
	c, err := readCertificate(s.FS, where.File)
	if err != nil {
		return unknown("tls-cert-file: %v", err)
	}
	var fs []Answer
	if len(c.DNSNames) == 0 && len(c.IPAddresses) == 0 {
		fs = append(fs, fail(where, "a certificate with subjectAltName", "no subjectAltName: clients cannot verify the host's name"))
	}
	if key == "" {
		key = cert // both in one file
	}
	public, err := readPublicKey(s.FS, s.path(key))
	switch {
	case err == nil && !same(public, c.PublicKey):
		fs = append(fs, fail(where, "the certificate of this key", "certificate and private key do not belong together"))
	case err != nil && len(fs) == 0:
		return unknown("tls-key-file: %v", err)
	}
	return orPass(fs, where, "certificate and key belong together, subjectAltName is there")
}

func checkTLSPass(s *Subject) []Answer {
	if a := s.withTLS(); a != nil {
		return a
	}
	for _, name := range []string{"tls-key-file-pass", "tls-client-key-file-pass"} {
		if v := s.Server.Conf.Get(name); v.Text != "" {
			return []Answer{fail(at(v), "a key without a passphrase, mode 0600", "%s stands in the file: the passphrase protects nothing", name)}
		}
	}
	return pass(Place{File: s.Name}, "none")
}

func checkTLSUse(s *Subject) []Answer {
	if len(s.host.clients) > 0 && !s.first() {
		return na("how clients connect is judged with %s", s.host.subjects[0].Name)
	}
	clients := slices.DeleteFunc(s.clients(), func(c clientSetting) bool { return c.only })
	if len(clients) == 0 {
		return unknown("no client's connection settings were among the paths")
	}
	var fs []Answer
	for _, c := range clients {
		switch {
		case !c.tls:
			fs = append(fs, fail(c.Place, "rediss:// or valkeys://", "a client connects without TLS"))
		case !c.verify:
			fs = append(fs, fail(c.Place, "verify the server's certificate", "a client does not verify the server"))
		}
	}
	return orPass(fs, clients[0].Place, "%d clients use TLS", len(clients))
}
