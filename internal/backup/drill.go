package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
)

// DrillOptions say how a set is tried out.
type DrillOptions struct {
	Identities    []age.Identity
	AllowCommands bool
	Tmp           string   // where the set is restored for a while, in plaintext; "": the system's
	Server        []string // the command that runs a server; nil: one that is installed
	Now           time.Time
}

// Drilled is how a set behaved.
type Drilled struct {
	Skipped string // why no server was started; "": one was
	Keys    int64  // that the server has loaded
	Least   int64  // that it must have: those of the snapshot without an expiry; 0 of a log
	Most    int64  // that it can have; -1 of a log
}

// ErrDrill says that a server did not load a set, or loaded something else.
var ErrDrill = errors.New("a server does not load it")

// drillTime bounds how long a server may take to load a set.
const drillTime = 30 * time.Minute

// Drill restores a set into a temporary directory and has a server load it: an
// unprivileged process without capabilities and without network, which listens on
// a Unix socket and may not load modules. Where the system does not allow that, no
// server is started. Logs with commands that no server writes are refused before.
// What a drill that was killed has left in the directory for temporary files is
// removed; its server died with it.
func (s *Set) Drill(ctx context.Context, o DrillOptions) (*Drilled, error) {
	uid, gid := unprivileged()
	dir, remove, err := makeDrillDir(o.Tmp, uid, gid)
	if err != nil {
		return nil, err
	}
	defer remove()
	data := filepath.Join(dir, "data")
	r, err := s.Restore(ctx, RestoreOptions{Into: data, Identities: o.Identities, AllowCommands: o.AllowCommands, UID: uid, GID: gid, Now: o.Now})
	if err != nil {
		return nil, err
	}
	d := &Drilled{}
	if o.Server == nil {
		p := FindServer()
		if p == "" {
			d.Skipped = "no server is installed"
			return d, nil
		}
		o.Server = []string{p}
	}
	if build, err := BuildOf(ctx, o.Server...); err == nil {
		if err := r.Inner.readable(build); err != nil {
			d.Skipped = err.Error()
			return d, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, drillTime)
	defer cancel()
	socket := filepath.Join(dir, "s")
	args := append(o.Server[1:len(o.Server):len(o.Server)], "--port", "0", "--unixsocket", socket, "--dir", data, "--save", "", "--daemonize", "no", "--aof-load-truncated", "no")
	args = append(args, r.Inner.settings()...)
	ended, err := startConfined(func() *exec.Cmd {
		cmd := exec.CommandContext(ctx, o.Server[0], args...) //nolint:gosec // running a server is the purpose
		cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
		cmd.Dir = data
		return cmd
	}, dir, uid, gid)
	if err != nil {
		d.Skipped = "the system does not allow to confine a server: " + err.Error()
		return d, nil
	}
	defer func() {
		cancel()
		<-ended
	}()
	d.Keys, err = loadedKeys(ctx, socket, ended)
	if err != nil {
		return d, err
	}
	d.Least, d.Most = r.expected()
	if d.Keys < d.Least || d.Most >= 0 && d.Keys > d.Most {
		return d, fmt.Errorf("%w: it has %d keys, and the snapshot %d, %d of them without expiry", ErrDrill, d.Keys, d.Most, d.Least)
	}
	return d, nil
}

// settings are the server's options that make it load the set.
func (in *Inner) settings() []string {
	for i := range in.Files {
		f := &in.Files[i]
		switch f.Role {
		case RoleManifest:
			return []string{"--appendonly", "yes", "--appenddirname", path.Dir(f.Path), "--appendfilename", strings.TrimSuffix(path.Base(f.Path), ".manifest")}
		case RoleLog:
			return []string{"--appendonly", "yes", "--appendfilename", f.Path}
		}
	}
	for i := range in.Files {
		if f := &in.Files[i]; f.Role == RoleSnapshot {
			return []string{"--appendonly", "no", "--dbfilename", f.Path}
		}
	}
	return nil
}

// expected bounds the keys that a server has when it has loaded the set.
func (r *Restored) expected() (least, most int64) {
	if r.Inner.has(RoleManifest) || r.Inner.has(RoleLog) {
		return 0, -1
	}
	for i := range r.Inner.Files {
		if f := &r.Inner.Files[i]; f.Role == RoleSnapshot {
			return int64(f.Keys) - r.expiring[f.Path], int64(f.Keys)
		}
	}
	return 0, 0
}

// loadedKeys waits until a server has loaded its data, and counts the keys.
func loadedKeys(ctx context.Context, socket string, ended <-chan struct{}) (int64, error) {
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-ended:
			return 0, fmt.Errorf("%w: it ended while it loaded", ErrDrill)
		case <-time.After(50 * time.Millisecond):
		}
		text, err := info(ctx, socket)
		if err != nil || text == "" { // not there yet, or loading
			continue
		}
		var keys int64
		for line := range strings.Lines(text) { // db0:keys=1,expires=0,…
			name, rest, ok := strings.Cut(line, ":keys=")
			if !ok || !strings.HasPrefix(name, "db") {
				continue
			}
			count, _, _ := strings.Cut(rest, ",")
			n, err := strconv.ParseInt(count, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%w: it counts no keys", ErrDrill)
			}
			keys += n
		}
		return keys, nil
	}
}

// info asks for INFO keyspace. The text is empty while the server loads.
func info(ctx context.Context, socket string) (string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // it is given up
	defer stop()
	if _, err := io.WriteString(conn, "PING\r\nINFO keyspace\r\n"); err != nil {
		return "", err
	}
	in := bufio.NewReader(conn)
	pong, err := in.ReadString('\n')
	if err != nil || !strings.HasPrefix(pong, "+PONG") {
		return "", err
	}
	header, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(header, "$")))
	if err != nil || n < 0 || n > maxReply {
		return "", fmt.Errorf("%w: no reply to INFO", ErrDrill)
	}
	text := make([]byte, n)
	_, err = io.ReadFull(in, text)
	return string(text), err
}
