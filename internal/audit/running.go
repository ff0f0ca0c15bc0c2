package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/valkey-io/valkey-go"

	"github.com/valkeyfs/valkeyfs/internal/conf"
)

// Bounds on what is kept of a running server's answers.
const (
	maxInfo        = 10_000
	maxLiveClients = 100_000
	maxACLLog      = 1000
)

// ask asks for what only a running server knows: who is connected, who was
// refused, and which functions there are.
func (l *Live) ask(ctx context.Context, c valkey.Client, v conf.Version, denied func(string, error)) {
	if text, err := c.Do(ctx, c.B().ClientList().Build()).ToString(); err != nil {
		denied("CLIENT LIST", err)
	} else {
		for line := range strings.Lines(text) {
			if len(l.clients) < maxLiveClients {
				l.clients = append(l.clients, clientFields(line))
			}
		}
	}
	if entries, err := c.Do(ctx, c.B().AclLog().Count(maxACLLog).Build()).ToArray(); err != nil {
		denied("ACL LOG", err)
	} else {
		for _, e := range entries {
			fields, err := e.AsStrMap()
			if err != nil {
				continue
			}
			n, _ := strconv.ParseInt(fields["count"], 10, 64)
			l.refusals = append(l.refusals, refusedClient{fields["reason"], fields["username"], n})
		}
	}
	if v.Before(7, 0) {
		return
	}
	libraries, err := c.Do(ctx, c.B().FunctionList().Withcode().Build()).ToArray()
	if err != nil {
		denied("FUNCTION LIST", err)
	}
	for _, lib := range libraries {
		fields, err := lib.AsMap()
		if err != nil {
			continue
		}
		field := fields["library_code"]
		code, err := field.ToString()
		if err != nil {
			continue
		}
		sum := sha256.Sum256([]byte(code))
		l.functions = append(l.functions, Function{Sighting{File: l.Name(), What: "function library"}, hex.EncodeToString(sum[:]), slowCalls([]byte(code))})
	}
}

// clientFields are those of a line of CLIENT LIST that matter here: the others
// may hold keys and names.
func clientFields(line string) map[string]string {
	fields := map[string]string{}
	for word := range strings.FieldsSeq(line) {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "addr", "user", "age", "idle", "flags":
			fields[key] = value
		}
	}
	return fields
}

// running answers where no running server was asked, or where it refused to tell.
func (s *Subject) running(command string) []Answer {
	if s.Running == nil {
		return na("no running server was asked (--live)")
	}
	if why := s.Running.denied[command]; why != "" {
		return unknown("%s was refused: %s", command, why)
	}
	return nil
}

// number returns a field of INFO.
func (l *Live) number(field string) (int64, bool) {
	n, err := strconv.ParseInt(l.info[field], 10, 64)
	return n, err == nil
}

func checkStrangers(s *Subject) []Answer {
	if a := s.running("CLIENT LIST"); a != nil {
		return a
	}
	strangers, example := 0, ""
	for _, c := range s.Running.clients {
		host, _, err := net.SplitHostPort(c["addr"])
		if err != nil || loopback(host) || strings.ContainsAny(c["flags"], "MS") { // its primary, its replicas
			continue
		}
		if c["user"] == "default" && s.Server.Open() {
			strangers, example = strangers+1, host
		}
	}
	if strangers > 0 {
		return []Answer{fail(Place{File: s.Name}, "user default off", "%d clients of other hosts are connected as default, which needs no password; one is at %s", strangers, example)}
	}
	return pass(Place{File: s.Name}, "%d clients are connected, none of another host without a password", len(s.Running.clients))
}

// toleratedRefusals is how many refused passwords are more than somebody's mistyping.
const toleratedRefusals = 10

func checkRefusals(s *Subject) []Answer {
	if a := s.running("ACL LOG"); a != nil {
		return a
	}
	var passwords, rights int64
	for _, r := range s.Running.refusals {
		if r.reason == "auth" {
			passwords += r.count
		} else {
			rights += r.count
		}
	}
	where := Place{File: s.Name}
	if passwords > toleratedRefusals {
		return []Answer{fail(where, "find out who it is; a firewall rule or fail2ban for port "+s.Server.Conf.Get("port").Text, "ACL LOG has %d refused passwords", passwords)}
	}
	return pass(where, "ACL LOG has %d refused passwords, and %d commands, keys or channels that were refused", passwords, rights)
}

func checkMemoryUse(s *Subject) []Answer {
	if a := s.running("INFO"); a != nil {
		return a
	}
	used, ok := s.Running.number("used_memory")
	limit, also := s.Running.number("maxmemory")
	switch {
	case !ok || !also:
		return unknown("INFO does not tell how much memory is in use")
	case limit == 0:
		return na("maxmemory is not set")
	case used > limit/10*9:
		return []Answer{fail(Place{File: s.Name}, "a larger maxmemory, or less data", "%d%% of maxmemory are in use", used*100/limit)}
	}
	return pass(Place{File: s.Name}, "%d%% of maxmemory are in use", used*100/limit)
}

func checkConnections(s *Subject) []Answer {
	if a := s.running("INFO"); a != nil {
		return a
	}
	n, ok := s.Running.number("connected_clients")
	limit, also := s.Server.Conf.Get("maxclients").Int()
	where := Place{File: s.Name}
	rejected, _ := s.Running.number("rejected_connections")
	switch {
	case !ok || !also:
		return unknown("INFO does not tell how many clients are connected")
	case rejected > 0:
		return []Answer{fail(where, "find out which clients they are; pool connections", "%d connections were rejected, as there were too many", rejected)}
	case n > limit/10*8:
		return []Answer{fail(where, "find out which clients they are; pool connections", "%d of %d connections are in use", n, limit)}
	}
	return pass(where, "%d of %d connections are in use", n, limit)
}

// Below so many commands a connection, connections are not used again.
const (
	pooledCommands = 4
	fewConnections = 1000 // that say nothing yet
)

func checkPooling(s *Subject) []Answer {
	if s.Running == nil && s.Options.Live == nil {
		return unknown("how applications use connections shows in no file of the server (--live asks a running one)")
	}
	if a := s.running("INFO"); a != nil {
		return a
	}
	connections, ok := s.Running.number("total_connections_received")
	commands, also := s.Running.number("total_commands_processed")
	where := Place{File: s.Name}
	switch {
	case !ok || !also:
		return unknown("INFO does not tell how many connections there were")
	case connections > fewConnections && commands/connections < pooledCommands:
		return []Answer{fail(where, "a pool of connections in the application", "%d connections for %d commands: most are used once", connections, commands)}
	}
	return pass(where, "%d connections for %d commands", connections, commands)
}

func checkSlowCalls(s *Subject) []Answer {
	if a := s.running("INFO"); a != nil {
		return a
	}
	var fs []Answer
	for _, name := range []string{"keys", "flushall", "flushdb"} {
		stats := s.Running.info["cmdstat_"+name]
		var calls int64
		if _, err := fmt.Sscanf(stats, "calls=%d,", &calls); err == nil && calls > 0 {
			fs = append(fs, fail(Place{File: s.Name}, "SCAN instead of KEYS; -"+name+" in the ACL", "%s was called %d times since the server started", strings.ToUpper(name), calls))
		}
	}
	return orPass(fs, Place{File: s.Name}, "neither KEYS nor FLUSHALL nor FLUSHDB since the server started")
}

func checkLinks(s *Subject) []Answer {
	if a := s.running("INFO"); a != nil {
		return a
	}
	where := Place{File: s.Name}
	info := s.Running.info
	switch role := info["role"]; {
	case role == "slave" && info["master_link_status"] != "up":
		return []Answer{fail(where, "look at the log of the replica", "the link to the primary is %s", clip(info["master_link_status"])).severe(High)}
	case role == "slave":
		return pass(where, "the link to the primary is up")
	case role != "master":
		return unknown("INFO does not tell the role")
	}
	n, _ := s.Running.number("connected_slaves")
	var fs []Answer
	for i := range n {
		if state := info["slave"+itoa(i)]; state != "" && !strings.Contains(state, "state=online") {
			fs = append(fs, fail(where, "look at the log of the replica", "replica %d is not online", i))
		}
		if i == maxNamed {
			break
		}
	}
	return orPass(fs, where, "a primary with %d replicas", n)
}
