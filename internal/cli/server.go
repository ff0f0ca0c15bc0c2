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
	from     string // it is asked for its data set
	ask      string // it is asked how it is
	user     string
	password string
	tls      bool
	ca       string
	cert     string
	key      string
}

func (s *serverFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&s.from, "from", "", "ask the server at `HOST:PORT`, or at a Unix socket, for its data set")
	f.StringVar(&s.ask, "server", "", "ask the server at `HOST:PORT`, or at a Unix socket, how it is; its user needs +info alone")
	f.StringVar(&s.user, "user", "", "--from, --server: log in as `USER`")
	f.StringVar(&s.password, "password-file", "", "--from, --server: log in with the password in `FILE`")
	f.BoolVar(&s.tls, "tls", false, "--from, --server: speak TLS")
	f.StringVar(&s.ca, "tls-ca", "", "--from, --server: trust the authorities in `FILE` instead of the system's")
	f.StringVar(&s.cert, "tls-cert", "", "--from, --server: show the certificate in `FILE`")
	f.StringVar(&s.key, "tls-key", "", "--from, --server: with the key in `FILE`")
}

// capture asks the server for its data set.
func (s *serverFlags) capture(ctx context.Context) (*backup.Capture, error) {
	o, err := s.options(s.from)
	if err != nil {
		return nil, err
	}
	defer clear(o.Password)
	return backup.CaptureServer(ctx, o)
}

// state asks the server how it is.
func (s *serverFlags) state(ctx context.Context) (*backup.State, error) {
	o, err := s.options(s.ask)
	if err != nil {
		return nil, err
	}
	defer clear(o.Password)
	return backup.AskServer(ctx, o)
}

// options say how to reach a server. A password is never taken from an argument,
// which other users can see.
func (s *serverFlags) options(addr string) (o backup.ReplicaOptions, err error) {
	o = backup.ReplicaOptions{Addr: addr, User: s.user}
	if s.password != "" {
		data, err := os.ReadFile(s.password)
		if err != nil {
			return o, unreadable("--password-file", s.password, err)
		}
		o.Password = bytes.TrimRight(data, "\r\n")
	} else if s.user != "" {
		return o, usagef("--user: a password is needed, in a file named by --password-file")
	}
	if s.tls || s.ca != "" || s.cert != "" {
		o.TLS, err = s.tlsConfig()
	}
	return o, err
}

func (s *serverFlags) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.ca != "" {
		pem, err := os.ReadFile(s.ca)
		if err != nil {
			return nil, unreadable("--tls-ca", s.ca, err)
		}
		if config.RootCAs = x509.NewCertPool(); !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: there is no certificate in it", s.ca)
		}
	}
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
