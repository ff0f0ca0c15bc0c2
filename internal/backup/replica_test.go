package backup_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

func (h *host) from(o backup.ReplicaOptions) (*backup.Result, error) {
	c, err := backup.CaptureServer(h.t.Context(), o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return backup.Create(h.t.Context(), h.store(), c, h.o)
}

func socketOf(t *testing.T, s *servertest.Instance) string {
	t.Helper()
	reply, ok := s.Must(t, "CONFIG", "GET", "unixsocket").([]any)
	if !ok || len(reply) != 2 {
		t.Fatal("no socket")
	}
	return reply[1].(string)
}

// Every server hands its data set over, diskless or by way of its disk, to a user
// that may do nothing else.
func TestFromServer(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		for _, diskless := range []string{"yes", "no"} {
			live := s.Start(t, "", "--repl-diskless-sync", diskless, "--repl-diskless-sync-delay", "0")
			for i := range 3000 {
				live.Must(t, "SET", fmt.Sprint("key:", i), strings.Repeat("v", i%300))
			}
			live.Must(t, "RPUSH", "list", "a", "b", "c")
			live.Must(t, "ACL", "SETUSER", "backup", "on", ">synthetic", "-@all", "+psync", "+replconf", "+ping")
			digest := live.Digest(t)
			h := newHost(t)
			o := backup.ReplicaOptions{Addr: socketOf(t, live), User: "backup", Password: []byte("wrong")}
			if _, err := h.from(o); !errors.Is(err, backup.ErrServer) {
				t.Errorf("a wrong password: %v", err)
			}
			o.Password = []byte("synthetic")
			r, err := h.from(o)
			if err != nil {
				t.Fatal(err)
			}
			if f := r.Inner.Files[0]; f.Checksum != "ok" || f.Keys != 3001 || len(r.Inner.ReplID) != 40 {
				t.Errorf("%+v, replication id %q", f, r.Inner.ReplID)
			}
			into := filepath.Join(t.TempDir(), "data")
			if _, err := h.restore(backup.RestoreOptions{Into: into}); err != nil {
				t.Fatal(err)
			}
			again := s.Start(t, into)
			if got := again.Digest(t); got != digest {
				t.Errorf("diskless %s: digest %s, of the server %s", diskless, got, digest)
			}
		}
	})
}

// primary is a server of one reply, whose snapshot can be anything.
func primary(t *testing.T, listen func(net.Listener) net.Listener, transfer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l = listen(l)
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf := make([]byte, 4096)
		for _, reply := range []string{"+PONG\r\n", "+OK\r\n", "+FULLRESYNC " + strings.Repeat("a", 40) + " 1\r\n" + transfer} {
			if _, err := c.Read(buf); err != nil {
				return
			}
			io.WriteString(c, reply)
		}
	}()
	return addr
}

func plain(l net.Listener) net.Listener { return l }

// A transfer that ends early, or is not what was announced, makes no set.
func TestFromServerCut(t *testing.T) {
	whole := string(rdb("k", "v"))
	mark := strings.Repeat("m", 40)
	for name, test := range map[string]struct {
		transfer string
		ok       bool
	}{
		"sized":                   {"\n\n" + fmt.Sprintf("$%d\r\n", len(whole)) + whole, true},
		"sized, more behind":      {fmt.Sprintf("$%d\r\n", len(whole)) + whole + "*1\r\n$4\r\nPING\r\n", true},
		"sized, cut":              {fmt.Sprintf("$%d\r\n", len(whole)) + whole[:20], false},
		"sized, claims the world": {"$9000000000000000000\r\n" + whole, false},
		"marked":                  {"$EOF:" + mark + "\r\n" + whole + mark, true},
		"marked, cut":             {"$EOF:" + mark + "\r\n" + whole + mark[:39], false},
		"neither":                 {"hello\r\n" + whole, false},
		"a bad size":              {"$-5\r\n", false},
		"nothing":                 {"", false},
	} {
		h := newHost(t)
		_, err := h.from(backup.ReplicaOptions{Addr: primary(t, plain, test.transfer), Timeout: 5 * time.Second})
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
		if files := read(t, filepath.Dir(h.dest)); !test.ok && len(files) != 0 {
			t.Errorf("%s: %d files are left", name, len(files))
		}
	}
	h := newHost(t)
	bad := whole[:len(whole)-1] + "\x01"
	if _, err := h.from(backup.ReplicaOptions{Addr: primary(t, plain, fmt.Sprintf("$%d\r\n", len(bad))+bad)}); !errors.Is(err, keyspace.ErrChecksum) {
		t.Errorf("a bad checksum: %v", err)
	}
}

// TLS is spoken, and the server's certificate is checked.
func TestFromServerTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secure := func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	whole := string(rdb("k", "v"))
	transfer := fmt.Sprintf("$%d\r\n", len(whole)) + whole
	h := newHost(t)
	if _, err := h.from(backup.ReplicaOptions{Addr: primary(t, secure, transfer), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}); err != nil {
		t.Error(err)
	}
	if _, err := h.from(backup.ReplicaOptions{Addr: primary(t, secure, transfer), TLS: &tls.Config{MinVersion: tls.VersionTLS12}}); err == nil {
		t.Error("a certificate of nobody was taken")
	}
}
