package backup_test

import (
	"context"
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
	"github.com/valkeyfs/valkeyfs/scan"
)

func (h *host) from(o backup.ReplicaOptions) (*backup.Result, error) {
	c, err := backup.CaptureServer(h.t.Context(), o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return backup.Create(h.t.Context(), h.store(), c, h.o)
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
			o := backup.ReplicaOptions{Addr: live.Socket, User: "backup", Password: []byte("wrong")}
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

// Servers that speak TLS alone and want a certificate hand their data set over to
// the program, whichever way they transfer it.
func TestFromServerWithTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t)
	files := map[string]string{"cert": cert, "key": key}
	for name, text := range files {
		write(t, dir, map[string][]byte{name: []byte(text)})
	}
	pem, secret := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		for _, diskless := range []string{"yes", "no"} {
			port := freePort(t)
			live := s.Start(t, "", "--tls-port", port, "--bind", "127.0.0.1", "--tls-cert-file", pem, "--tls-key-file", secret, "--tls-ca-cert-file", pem,
				"--repl-diskless-sync", diskless, "--repl-diskless-sync-delay", "0")
			for i := range 500 {
				live.Must(t, "SET", fmt.Sprint("key:", i), strings.Repeat("v", i))
			}
			live.Must(t, "ACL", "SETUSER", "backup", "on", ">synthetic", "-@all", "+psync", "+replconf", "+ping")
			h := newHost(t)
			write(t, h.keyFiles(), map[string][]byte{"password": []byte("synthetic\n")})
			args := []string{"backup", "--from", "127.0.0.1:" + port, "--user", "backup", "--password-file", filepath.Join(h.files, "password"),
				"--to", h.dest, "--label", h.o.Label, "-R", filepath.Join(h.files, "recipients")}
			for name, more := range map[string][]string{"without a certificate": {"--tls-ca", pem}, "without an authority": {"--tls", "--tls-cert", pem, "--tls-key", secret}, "without TLS": nil} {
				if status, said := h.cron(nil, append(args, more...)...); status != 4 || strings.Count(said, "\n") != 1 {
					t.Errorf("%s: exit status %d: %s", name, status, said)
				}
			}
			if status, said := h.cron(nil, append(args, "--tls-ca", pem, "--tls-cert", pem, "--tls-key", secret)...); status != 0 || said != "" {
				t.Fatalf("exit status %d: %s", status, said)
			}
			into := filepath.Join(t.TempDir(), "data")
			if _, err := h.restore(backup.RestoreOptions{Into: into}); err != nil {
				t.Fatal(err)
			}
			if got, want := s.Start(t, into).Digest(t), live.Digest(t); got != want {
				t.Errorf("diskless %s: digest %s, of the server %s", diskless, got, want)
			}
		}
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// A server that is asked says its version and how far it is, to a user with
// +info alone; what it says is in the sealed manifest.
func TestAskServer(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		live := s.Start(t, "", "--appendonly", "yes")
		live.Must(t, "SET", "k", "v")
		live.Must(t, "SAVE")
		live.Must(t, "ACL", "SETUSER", "watch", "on", ">synthetic", "-@all", "+info")
		o := backup.ReplicaOptions{Addr: live.Socket, User: "watch", Password: []byte("synthetic")}
		state, err := backup.AskServer(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		want := "redis"
		if s.Valkey() {
			want = "valkey"
		}
		if state.Make != want || !strings.HasPrefix(state.Version, fmt.Sprint(s.Major())+".") || len(state.ReplID) != 40 || time.Since(state.LastSave) > time.Minute || state.Failed != nil {
			t.Errorf("%+v", state)
		}
		if _, err := backup.CaptureServer(t.Context(), o); !errors.Is(err, backup.ErrServer) {
			t.Errorf("a user without +psync: %v", err)
		}
		h := newHost(t)
		c, err := backup.CaptureDir(t.Context(), live.Dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Said(state)
		r, err := backup.Create(t.Context(), h.store(), c, h.o)
		if err != nil {
			t.Fatal(err)
		}
		if in := r.Inner; in.Server != want || in.Version != state.Version || in.ReplID != state.ReplID || in.ReplOffset != state.ReplOffset || !in.LastSave.Equal(state.LastSave) {
			t.Errorf("%+v", in)
		}
		if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
			t.Errorf("problems: %v", kinds)
		}
		write(t, h.keyFiles(), map[string][]byte{"password": []byte("synthetic\n")})
		if status, said := h.cron(nil, h.backupArgs(live.Dir, h.dest, "--server", live.Socket, "--user", "watch", "--password-file", filepath.Join(h.files, "password"))...); status != 0 || said != "" {
			t.Errorf("exit status %d: %s", status, said)
		}
	})
}

// What --from brings is scanned while it is sealed: where that is refused, no
// object is completed, and a stream is left without a set.
func TestFromServerRefused(t *testing.T) {
	secret := "postgres://app:" + "Hafen-Deich-77x" + "@db.example.com/x"
	whole := string(rdb("database", secret))
	transfer := fmt.Sprintf("$%d\r\n", len(whole)) + whole
	h := newHost(t)
	var err error
	if h.o.Scanner, err = scan.New(scan.Config{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	h.o.Refuse = true
	seen := &committed{Store: h.store()}
	h.over = seen
	r, err := h.from(backup.ReplicaOptions{Addr: primary(t, plain, transfer)})
	if !errors.Is(err, backup.ErrRefused) || r.Findings != 1 {
		t.Errorf("%d findings, %v", r.Findings, err)
	}
	if left := read(t, h.dest); len(left) != 0 || seen.n != 0 {
		t.Errorf("%d objects were completed, %d files are left", seen.n, len(left))
	}
	h.o.Refuse = false
	if r, err = h.from(backup.ReplicaOptions{Addr: primary(t, plain, transfer)}); err != nil || r.Findings != 1 {
		t.Errorf("report: %d findings, %v", r.Findings, err)
	}
}

// committed counts the objects that were completed.
type committed struct {
	backup.Store
	n int
}

type committedObject struct {
	backup.Object
	s *committed
}

func (s *committed) Create(ctx context.Context, name string) (backup.Object, error) {
	o, err := s.Store.Create(ctx, name)
	return &committedObject{o, s}, err
}

func (o *committedObject) Commit() error {
	o.s.n++
	return o.Object.Commit()
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

// certificate is one for 127.0.0.1 that stands for itself, and its key, as PEM.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE "+"KEY", pkcs8)
}

// TLS is spoken, and the server's certificate is checked.
func TestFromServerTLS(t *testing.T) {
	cert, key := certificate(t)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	secure := func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(cert))
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
