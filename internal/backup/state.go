package backup

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// State is what a server says of itself.
type State struct {
	Make       string // "redis" or "valkey"
	Version    string
	ReplID     string // where replication stood
	ReplOffset int64
	LastSave   time.Time
	Failed     []string // what it says that has failed: names of INFO
}

// maxInfo bounds a reply to INFO.
const maxInfo = 1 << 20

// AskServer asks a server how it is, by INFO alone.
func AskServer(ctx context.Context, o ReplicaOptions) (*State, error) {
	r, err := dialServer(ctx, o)
	if err != nil {
		return nil, err
	}
	defer r.close()
	text, err := r.info()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Addr, err)
	}
	s := &State{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		s.note(name, value)
	}
	if s.Version == "" {
		return nil, fmt.Errorf("%s: %w INFO: it does not say its version", o.Addr, ErrServer)
	}
	return s, nil
}

// note takes a field of INFO (server.c, genValkeyInfoString).
func (s *State) note(name, value string) {
	switch name {
	case "redis_version":
		if s.Make == "" { // Valkey says what it is compatible with
			s.Make, s.Version = "redis", value
		}
	case "valkey_version":
		s.Make, s.Version = "valkey", value
	case "master_replid":
		s.ReplID = value
	case "master_repl_offset":
		s.ReplOffset, _ = strconv.ParseInt(value, 10, 64)
	case "rdb_last_save_time":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
			s.LastSave = time.Unix(n, 0).UTC()
		}
	case "rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status":
		if value != "ok" {
			s.Failed = append(s.Failed, name)
		}
	}
}

// info returns the reply to INFO.
func (r *replica) info() (string, error) {
	header, err := r.do("INFO")
	if err != nil {
		return "", err
	}
	size, ok := strings.CutPrefix(header, "$")
	n, err := strconv.ParseInt(size, 10, 64)
	if !ok || err != nil || n < 0 || n > maxInfo {
		return "", fmt.Errorf("%w INFO: no text", ErrServer)
	}
	text, err := io.ReadAll(io.LimitReader(r.in, n))
	if err == nil && int64(len(text)) < n {
		err = io.ErrUnexpectedEOF
	}
	return string(text), err
}
