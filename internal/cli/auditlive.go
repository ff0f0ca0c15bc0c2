package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"

	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/internal/audit"
	"github.com/valkeyfs/valkeyfs/internal/conf"
)

// liveFlags say how audit reaches a running server.
type liveFlags struct {
	address      string
	user         string
	passwordFile string
	tls          bool
	ca           string
	cert, key    string
	showUser     bool
}

func (l *liveFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&l.address, "live", "", "ask the running server at `ADDR` (host:port or a Unix socket), by commands that only read")
	f.StringVar(&l.user, "live-as", "", "authenticate to --live as `USER`")
	f.StringVar(&l.passwordFile, "live-password", "", "authenticate to --live by the password in `FILE`")
	f.BoolVar(&l.tls, "live-tls", false, "use TLS for --live")
	f.StringVar(&l.ca, "live-ca", "", "trust the certificates in `FILE` instead of the system's")
	f.StringVar(&l.cert, "live-cert", "", "show the certificate in `FILE`")
	f.StringVar(&l.key, "live-key", "", "whose key is in `FILE`")
	f.BoolVar(&l.showUser, "live-user", false, "print the ACL rule of a user that suffices for --live, and do nothing else")
}

// printUser prints the rule of a user that suffices.
func (l *liveFlags) printUser(a *app, v conf.Version) error {
	if v == (conf.Version{}) {
		v = conf.Newest
	}
	_, err := io.WriteString(a.stdout, audit.LiveUser(v)+"\n")
	return err
}

// ask asks the server, if there is one to ask.
func (l *liveFlags) ask(ctx context.Context, v conf.Version) (*audit.Live, error) {
	if l.address == "" {
		return nil, nil // none is asked
	}
	o := audit.LiveOptions{Address: l.address, User: l.user, Version: v}
	if l.passwordFile != "" {
		b, err := os.ReadFile(l.passwordFile)
		if err != nil {
			return nil, unreadable("--live-password", l.passwordFile, err)
		}
		o.Password = string(bytes.TrimRight(b, "\r\n"))
	}
	if l.tls {
		host, _, err := net.SplitHostPort(l.address)
		if err != nil {
			return nil, usagef("--live: host:port is needed for TLS")
		}
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
		if l.ca != "" {
			pem, err := os.ReadFile(l.ca)
			if err != nil {
				return nil, unreadable("--live-ca", l.ca, err)
			}
			o.TLS.RootCAs = x509.NewCertPool()
			if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
				return nil, usagef("--live-ca: no certificate in %s", safe(l.ca))
			}
		}
		if l.cert != "" {
			c, err := tls.LoadX509KeyPair(l.cert, l.key)
			if err != nil {
				return nil, err
			}
			o.TLS.Certificates = []tls.Certificate{c}
		}
	}
	return audit.Ask(ctx, o)
}
