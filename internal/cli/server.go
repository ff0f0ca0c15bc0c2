package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/internal/backup"
)

// serverFlags say how a running server is reached.
type serverFlags struct {
	addr     string
	user     string
	password string
	tls      bool
	ca       string
	cert     string
	key      string
}

func (s *serverFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&s.addr, "from", "", "ask the server at `HOST:PORT`, or at a Unix socket, for its data set")
	f.StringVar(&s.user, "user", "", "--from: log in as `USER`")
	f.StringVar(&s.password, "password-file", "", "--from: log in with the password in `FILE`")
	f.BoolVar(&s.tls, "tls", false, "--from: speak TLS")
	f.StringVar(&s.ca, "tls-ca", "", "--from: trust the authorities in `FILE` instead of the system's")
	f.StringVar(&s.cert, "tls-cert", "", "--from: show the certificate in `FILE`")
	f.StringVar(&s.key, "tls-key", "", "--from: with the key in `FILE`")
}

// capture asks the server. A password is never taken from an argument, which
// other users can see.
func (s *serverFlags) capture() capture {
	return func(ctx context.Context) (*backup.Capture, error) {
		o := backup.ReplicaOptions{Addr: s.addr, User: s.user}
		if s.password != "" {
			data, err := os.ReadFile(s.password)
			if err != nil {
				return nil, err
			}
			defer clear(data)
			o.Password = bytes.TrimRight(data, "\r\n")
		} else if s.user != "" {
			return nil, usagef("--user: a password is needed, in a file named by --password-file")
		}
		if s.tls || s.ca != "" || s.cert != "" {
			o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
			if s.ca != "" {
				pem, err := os.ReadFile(s.ca)
				if err != nil {
					return nil, err
				}
				if o.TLS.RootCAs = x509.NewCertPool(); !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
					return nil, fmt.Errorf("%s: there is no certificate in it", s.ca)
				}
			}
			if s.cert != "" {
				pair, err := tls.LoadX509KeyPair(s.cert, s.key)
				if err != nil {
					return nil, err
				}
				o.TLS.Certificates = []tls.Certificate{pair}
			}
		}
		return backup.CaptureServer(ctx, o)
	}
}
