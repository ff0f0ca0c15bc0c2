package backup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// ReplicaOptions say how a server is reached.
type ReplicaOptions struct {
	Addr     string      // host:port, or the path of a Unix socket
	TLS      *tls.Config // nil: none
	User     string      // "": the default user
	Password []byte      // nil: none. Of the commands the user needs +psync +replconf +ping, or +info
	Timeout  time.Duration
}

// ErrServer is what a server replied instead of what was asked for.
var ErrServer = errors.New("the server refused")

const (
	// maxReply bounds a line that a server replies.
	maxReply = 64 << 10
	// eofMark is how long the mark is that ends a diskless transfer
	// (rdb.h, RDB_EOF_MARK_SIZE).
	eofMark = 40
	// pace is how long a server may be silent; while it makes a snapshot it sends
	// a newline every second or so (replication.c, replicationCron).
	pace = 60 * time.Second
)

// CaptureServer asks a server for its data set, as a replica does: a full
// synchronisation (PSYNC ? -1), of which the snapshot is taken and the rest is
// not waited for. It needs no access to the server's files and changes nothing
// of its configuration; the server forks to make the snapshot. Close ends the
// connection.
func CaptureServer(ctx context.Context, o ReplicaOptions) (*Capture, error) {
	r, err := dialServer(ctx, o)
	if err != nil {
		return nil, err
	}
	stream, err := r.sync()
	if err != nil {
		r.close()
		return nil, fmt.Errorf("%s: %w", o.Addr, err)
	}
	it := &item{path: "dump.rdb", role: RoleSnapshot, size: -1, stream: stream}
	return &Capture{method: methodReplica, source: o.Addr, items: []*item{it}, done: r.close,
		state: State{ReplID: r.id, ReplOffset: r.offset}}, nil
}

// dialServer connects to a server and logs in.
func dialServer(ctx context.Context, o ReplicaOptions) (*replica, error) {
	if o.Timeout == 0 {
		o.Timeout = pace
	}
	network := "tcp"
	if strings.HasPrefix(o.Addr, "/") {
		network = "unix"
	}
	d := net.Dialer{Timeout: o.Timeout}
	conn, err := d.DialContext(ctx, network, o.Addr)
	if err != nil {
		return nil, err
	}
	if o.TLS != nil {
		config := o.TLS.Clone()
		if host, _, err := net.SplitHostPort(o.Addr); err == nil && config.ServerName == "" {
			config.ServerName = host
		}
		conn = tls.Client(conn, config)
	}
	r := &replica{conn: conn, timeout: o.Timeout}
	r.stop = context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // it is given up
	r.in = bufio.NewReaderSize(r, maxReply)
	if err := r.login(o); err != nil {
		r.close()
		return nil, fmt.Errorf("%s: %w", o.Addr, err)
	}
	return r, nil
}

// replica is the connection of one that pretends to be a replica.
type replica struct {
	conn    net.Conn
	in      *bufio.Reader
	timeout time.Duration
	stop    func() bool
	id      string
	offset  int64
}

func (r *replica) close() {
	r.stop()
	r.conn.Close() //nolint:errcheck // all was read, or the first error is the one to tell
}

// Read reads from the connection, and waits for a while only.
func (r *replica) Read(p []byte) (int, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(r.timeout)); err != nil { //nolint:forbidigo // a timeout, not a time of data
		return 0, err
	}
	return r.conn.Read(p)
}

func (r *replica) login(o ReplicaOptions) error {
	if o.Password == nil {
		return nil
	}
	args := []string{"AUTH", string(o.Password)}
	if o.User != "" {
		args = []string{"AUTH", o.User, string(o.Password)}
	}
	_, err := r.do(args...)
	return err
}

// sync does what a replica does up to the snapshot (replication.c,
// syncWithMaster), and returns it.
func (r *replica) sync() (io.Reader, error) {
	if _, err := r.do("PING"); err != nil {
		return nil, err
	}
	if _, err := r.do("REPLCONF", "capa", "eof", "capa", "psync2"); err != nil {
		return nil, err
	}
	reply, err := r.do("PSYNC", "?", "-1")
	if err != nil {
		return nil, err
	}
	words := strings.Fields(reply)
	if len(words) != 3 || words[0] != "FULLRESYNC" {
		return nil, fmt.Errorf("%w: no full synchronisation", ErrServer)
	}
	r.id = words[1]
	if r.offset, err = strconv.ParseInt(words[2], 10, 64); err != nil {
		return nil, fmt.Errorf("%w: a replication offset that is none", ErrServer)
	}
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	if mark, ok := strings.CutPrefix(line, "$EOF:"); ok && len(mark) == eofMark {
		return &markedReader{r: r.in, mark: []byte(mark)}, nil
	}
	text, ok := strings.CutPrefix(line, "$")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || n < 0 {
		return nil, fmt.Errorf("%w: neither a size nor a mark before the snapshot", ErrServer)
	}
	return &sizedReader{r: r.in, left: n}, nil
}

// do sends a command and returns its simple reply.
func (r *replica) do(args ...string) (string, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	defer clear(b.Bytes())
	if err := r.conn.SetWriteDeadline(time.Now().Add(r.timeout)); err != nil { //nolint:forbidigo // a timeout, not a time of data
		return "", err
	}
	if _, err := r.conn.Write(b.Bytes()); err != nil {
		return "", err
	}
	line, err := r.line()
	if err != nil {
		return "", err
	}
	if rest, ok := strings.CutPrefix(line, "-"); ok {
		word, _, _ := strings.Cut(rest, " ")
		return "", fmt.Errorf("%w %s: %.40s", ErrServer, args[0], word)
	}
	return strings.TrimPrefix(line, "+"), nil
}

// line reads a line. Empty ones keep the connection alive.
func (r *replica) line() (string, error) {
	for {
		line, err := r.in.ReadSlice('\n')
		if err != nil {
			if err == bufio.ErrBufferFull {
				err = fmt.Errorf("%w: a reply without end", ErrServer)
			}
			return "", short(err)
		}
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			return text, nil
		}
	}
}

// sizedReader reads a transfer whose size was announced.
type sizedReader struct {
	r    io.Reader
	left int64
}

func (s *sizedReader) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if s.left > 0 {
		err = short(err)
	} else if err == io.EOF {
		err = nil
	}
	return n, err
}

// markedReader reads a diskless transfer, up to its mark. The mark is random, and
// what follows it is only sent to a replica that says it is ready.
type markedReader struct {
	r    *bufio.Reader
	mark []byte
}

func (m *markedReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := m.r.Peek(eofMark)
	if len(b) < eofMark {
		return 0, short(err)
	}
	if bytes.Equal(b, m.mark) {
		return 0, io.EOF
	}
	b, _ = m.r.Peek(min(m.r.Buffered(), len(p)+eofMark))
	n := len(b) - eofMark + 1 // none of these begins the mark unless it is found
	if i := bytes.Index(b, m.mark); i > 0 {
		n = i
	}
	n = copy(p, b[:n])
	m.r.Discard(n) //nolint:errcheck // it was peeked at
	return n, nil
}

func short(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
