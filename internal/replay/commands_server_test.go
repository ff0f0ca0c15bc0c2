package replay

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// writes are the commands that servers say write, each as it may be sent, of keys that
// stand behind its name: s, b and n are strings, l a list, t and u sets, z and y sorted
// sets, g one of places, h a hash, x a stream with a group, p a HyperLogLog, v a vector
// set; d is not there. Empty ones are not sent.
var writes = map[string]string{
	"append": "append s x", "bitfield": "bitfield b set u8 4 9", "bitop": "bitop xor d b s", "decr": "decr n", "decrby": "decrby n 3", "delifeq": "delifeq s str",
	"getdel": "getdel s", "getex": "getex s ex 100000", "getset": "getset s y", "incr": "incr n", "incrby": "incrby n 4", "incrbyfloat": "incrbyfloat n 1.5",
	"mset": "mset s 1 d 2", "msetex": "msetex 2 s 1 d 2 keepttl", "msetnx": "msetnx d 1", "pfadd": "pfadd d a", "pfmerge": "pfmerge d p", "psetex": "psetex d 100000000 x",
	"set": "set d x ex 100000", "setbit": "setbit b 70 1", "setex": "setex d 100000 x", "setnx": "setnx d x", "setrange": "setrange s 5 x",
	"hdel": "hdel h f", "hexpire": "hexpire h 100000 fields 1 f", "hexpireat": "hexpireat h 9999999999 fields 1 f", "hgetdel": "hgetdel h fields 1 f",
	"hgetex": "hgetex h ex 100000 fields 1 f", "hincrby": "hincrby h f 2", "hincrbyfloat": "hincrbyfloat h f 0.5", "hmset": "hmset h i 1", "hpersist": "hpersist h fields 1 e",
	"hpexpire": "hpexpire h 100000000 fields 1 f", "hpexpireat": "hpexpireat h 9999999999999 fields 1 f", "hset": "hset h f 9", "hsetex": "hsetex h ex 100000 fields 1 f 7", "hsetnx": "hsetnx h i 1",
	"blmove": "blmove l d left right 0", "blmpop": "blmpop 0 1 l left", "blpop": "blpop l 0", "brpop": "brpop l 0", "brpoplpush": "brpoplpush l d 0", "linsert": "linsert l before 1 x",
	"lmove": "lmove l d right left", "lmpop": "lmpop 2 d l right count 2", "lpop": "lpop l", "lpush": "lpush l x y", "lpushx": "lpushx l x", "lrem": "lrem l -1 1", "lset": "lset l -1 x",
	"ltrim": "ltrim l 1 -1", "rpop": "rpop l", "rpoplpush": "rpoplpush l d", "rpush": "rpush l x", "rpushx": "rpushx l x", "sort": "sort t by n* get # get n desc store d",
	"sadd": "sadd t 9", "sdiffstore": "sdiffstore d t u", "sinterstore": "sinterstore d t u", "smove": "smove t u 1", "spop": "spop t 2", "srem": "srem t 1", "sunionstore": "sunionstore d t u",
	"bzmpop": "bzmpop 0 1 z min", "bzpopmax": "bzpopmax z 0", "bzpopmin": "bzpopmin z 0", "geoadd": "geoadd g 2 3 c", "georadius": "georadius g 0 0 500 km store d",
	"georadiusbymember": "georadiusbymember g a 500 km store d", "geosearchstore": "geosearchstore d g fromlonlat 0 0 bybox 500 500 km", "zadd": "zadd z gt 9 a 1 e",
	"zdiffstore": "zdiffstore d 2 z y", "zincrby": "zincrby z 1.5 a", "zinterstore": "zinterstore d 2 z y weights 2 3", "zmpop": "zmpop 1 z max", "zpopmax": "zpopmax z 2", "zpopmin": "zpopmin z",
	"zrangestore": "zrangestore d z 1 +inf byscore limit 1 2", "zrem": "zrem z a", "zremrangebylex": "zremrangebylex y [b +", "zremrangebyrank": "zremrangebyrank z 0 0",
	"zremrangebyscore": "zremrangebyscore z 2 3", "zunionstore": "zunionstore d 2 z t aggregate max",
	"xack": "xack x q 1-1", "xackdel": "xackdel x q ids 1 1-1", "xadd": "xadd x maxlen 2 * f v", "xautoclaim": "xautoclaim x q o 0 0", "xclaim": "xclaim x q o 0 1-1", "xdel": "xdel x 1-1",
	"xdelex": "xdelex x ids 1 2-1", "xgroup|create": "xgroup create x r $", "xgroup|createconsumer": "xgroup createconsumer x q o", "xgroup|delconsumer": "xgroup delconsumer x q c",
	"xgroup|destroy": "xgroup destroy x q", "xgroup|setid": "xgroup setid x q 2-1", "xreadgroup": "xreadgroup group q o streams x >", "xsetid": "xsetid x 9-9", "xtrim": "xtrim x minid 2-1",
	"xgroup": "xgroup setid x q 1-1", "vadd": "vadd v values 2 1 0 e", "vrem": "vrem v e0", "vsetattr": "vsetattr v e0 {}",
	"copy": "copy z d", "del": "del s d", "expire": "expire s 100000", "expireat": "expireat s 9999999999", "move": "move s 1", "persist": "persist n", "pexpire": "pexpire s 100000000",
	"pexpireat": "pexpireat s 9999999999999", "rename": "rename s d", "renamenx": "renamenx s d", "restore": "restore d 0 PAYLOAD", "restore-asking": "restore-asking d 0 PAYLOAD", "unlink": "unlink s",
	"function|load": "function load replace CODE", "function|delete": "function delete lib", "function|flush": "function flush", "function|restore": "", "swapdb": "swapdb 2 3",
	"flushall": "", "flushdb": "", // these take what the others did
	"migrate": "", "pfdebug": "", "cluster|flushslot": "", // these need another server, a debugger and a cluster
}

// inexact are those of them whose result is said not to be known exactly.
var inexact = []string{"pfadd", "pfmerge", "vadd", "vrem", "vsetattr"}

// lapsing are those that give a key of servers before 7.0 so long to live, see workload.
var lapsing = []string{"expire", "pexpire", "psetex", "set", "setex"}

// TestEveryWriteCommand has servers do each command that they say writes, and holds that
// the log says what it did, exactly where it is said to be exact.
func TestEveryWriteCommand(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		t.Parallel()
		i := s.Start(t, "", "--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0", "--save", "", "--databases", "4")
		w := &workload{Instance: i, t: t, rnd: rand.New(rand.NewPCG(1, 0)), fates: map[string][]fate{}, dumps: t.TempDir(), old: s.Major() < 7}
		names := writeCommands(t, w)
		w.Must(t, "PFADD", "counted", "a", "b")
		w.rewrite() // the log begins with a HyperLogLog that holds no count
		w.Must(t, "PFCOUNT", "counted")
		w.Must(t, "SET", "payload", "x")
		payload := w.Must(t, "DUMP", "payload").(string)
		for _, name := range names {
			sent, ok := writes[name]
			if !ok {
				t.Errorf("%s is not in the table", name)
			}
			if sent != "" {
				w.prepared(name, sent, payload)
			}
		}
		c := w.keep()
		i.Stop(t)
		w.holds(c, true)
		got := map[string]bool{}
		for k, v := range state(t, logPath(t, i.Dir), Point{}) {
			name, key, _ := strings.Cut(strings.TrimPrefix(k, "0/of-"), ":")
			if strings.Contains(v, " inexact") && key != "p" && (key != "v" || strings.HasPrefix(name, "v")) {
				got[name] = true
			}
		}
		for _, name := range names {
			if writes[name] != "" && got[name] != slices.Contains(inexact, name) {
				t.Errorf("%s is inexact: %t", name, got[name])
			}
		}
		t.Logf("%d commands", len(names))
	})
}

// prepared makes the keys of a command, and sends it; it must be done.
func (w *workload) prepared(name, sent, payload string) {
	for _, c := range []string{"set s str", "set b bits", "set n 10", "expireat n 9999999999", "rpush l 3 1 2 1", "sadd t 1 2 3", "sadd u 2 3 4", "zadd z 1 a 2 b 3 c", "zadd y 0 a 0 b 0 c", "geoadd g 1 1 a 2 2 b 90 9 far",
		"hset h f 1 g 2 e 3", "hexpire h 100000 fields 1 e", "xadd x 1-1 f v", "xadd x 2-1 f v", "xgroup create x q 0", "xreadgroup group q c count 1 streams x >", "pfadd p x", "vadd v values 2 0 1 e0"} {
		w.do(keyed(name, c)...)
	}
	const code = "#!lua name=lib\nredis.register_function('f', function() end)"
	if name == "function|delete" {
		w.do("FUNCTION", "LOAD", code)
	}
	words := keyed(name, sent)
	for i, word := range words {
		switch word {
		case "PAYLOAD":
			words[i] = payload
		case "CODE":
			words[i] = code
		}
	}
	if _, err := w.Do(words...); err != nil && !(w.Server.Major() < 7 && strings.Contains(err.Error(), "syntax error")) {
		w.t.Errorf("%s: %v", sent, err)
	}
	if w.old && slices.Contains(lapsing, name) {
		w.do("PEXPIREAT", words[1], "9999999999999")
	}
}

// keyed are the words of a command, the name of the one that is tested before its keys.
func keyed(name, command string) []string {
	words := strings.Fields(command)
	for _, i := range keyPlaces(words) {
		words[i] = "of-" + name + ":" + words[i]
	}
	return words
}

// keyPlaces are where the keys of a command stand.
func keyPlaces(words []string) (at []int) {
	switch words[0] {
	case "function", "swapdb":
		return nil
	case "xreadgroup":
		return []int{slices.Index(words, "streams") + 1}
	case "xgroup":
		return []int{2}
	case "sort", "georadius", "georadiusbymember":
		return []int{1, len(words) - 1}
	case "mset":
		return []int{1, 3}
	case "msetex":
		return []int{2, 4}
	case "bitop":
		return []int{2, 3, 4}
	case "blmpop", "bzmpop":
		return []int{3}
	case "lmpop":
		return []int{2, 3}
	case "zmpop":
		return []int{2}
	case "zdiffstore", "zinterstore", "zunionstore":
		return []int{1, 3, 4}
	case "sdiffstore", "sinterstore", "sunionstore":
		return []int{1, 2, 3}
	case "blmove", "brpoplpush", "lmove", "rpoplpush", "smove", "geosearchstore", "zrangestore", "copy", "rename", "renamenx", "pfmerge", "del":
		return []int{1, 2}
	}
	return []int{1}
}

// writeCommands are the names of a server's commands that write, with those of
// subcommands behind theirs.
func writeCommands(t *testing.T, w *workload) (names []string) {
	var add func(list any)
	add = func(list any) {
		for _, c := range list.([]any) {
			about := c.([]any)
			name := strings.ToLower(fmt.Sprint(about[0]))
			if slices.ContainsFunc(about[2].([]any), func(f any) bool { return fmt.Sprint(f) == "write" }) {
				names = append(names, name)
			}
			if len(about) > 9 {
				add(about[9])
			}
		}
	}
	add(w.Must(t, "COMMAND"))
	slices.Sort(names)
	return names
}
