package aof

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// onceTests are commands in which each D stands for data.
var onceTests = `
SET k D
SET k D IFEQ D PXAT 5
SET k D NX EX 5 GET
SETNX k D
GETSET k D
SETEX k 5 D
PSETEX k 5 D
MSET k D l D
MSETNX k D l D
MSETEX 2 k D l D PX 5
APPEND k D
SETRANGE k 5 D
PFADD k D D
INCRBYFLOAT k D
BITFIELD k SET u8 0 D INCRBY u8 0 D
DELEX k IFEQ D
DELEX k IFNE D
DELIFEQ k D
HSET k D D D D
HMSET k D D
HSETNX k D D
HSETC k D D
HIMPORT SET k D D D
HINCRBY k D D
HSETEX k FXX EX 5 FIELDS 2 D D D D
HDEL k D D
HGETDEL k FIELDS 2 D D
HGETEX k EX 5 FIELDS 2 D D
HGETEX k PXAT 5 FIELDS 1 D
HEXPIRE k 5 FIELDS 2 D D
HPEXPIREAT k 5 FIELDS 2 D D
HPERSIST k FIELDS 1 D
PHSET k D FIELDS 1 D D
PHDEL k D D
PHDELPREFIX k D
LPUSH k D D
RPUSHX k D D
LSET k 5 D
LINSERT k BEFORE D D
LREM k 0 D
SADD k D D
SREM k D D
SMOVE k l D
ZADD k NX CH 1 D 2 D
ZADD k INCR 1 D
ZINCRBY k 1 D
ZREM k D D
ZREMRANGEBYLEX k D D
ZRANGESTORE k l D D BYLEX
GEOADD k CH 1 2 D 3 4 D
GEOSEARCHSTORE k l FROMMEMBER D BYRADIUS 1 m
GEORADIUSBYMEMBER k D 1 m STORE l
XADD k 5-1 D D D D
XADD k NOMKSTREAM IDMP D D MAXLEN ~ 5 LIMIT 5 5-1 D D
XADD k IDMPAUTO D MINID 5-1 5-1 D D
XGROUP CREATE k D 0
XGROUP SETID k D 0
XGROUP CREATECONSUMER k D D
XGROUP DELCONSUMER k D D
XGROUP DESTROY k D
XACK k D 5-1
XACKDEL k D IDS 1 5-1
XNACK k D FAIL IDS 1 5-1
XCLAIM k D D 0 5-1 TIME 5 RETRYCOUNT 5 FORCE JUSTID LASTID 5-1
XAUTOCLAIM k D D 0 0-0
XREADGROUP GROUP D D STREAMS k l > >
ARSET k 5 D D
ARMSET k 5 D 6 D
ARINSERT k D D
ARRING k 5 D D
VADD k FP32 D D SETATTR D
VADD k REDUCE 5 VALUES 2 D D D CAS BIN EF 5 SETATTR D M 5
VREM k D
VSETATTR k D D
JSON.SET k D D NX
JSON.MSET k D D l D D
JSON.MERGE k D D
JSON.DEL k D
JSON.NUMINCRBY k D D
JSON.STRAPPEND k D
JSON.STRAPPEND k D D
JSON.ARRAPPEND k D D D
JSON.ARRINSERT k D 5 D D
JSON.ARRPOP k D 5
JSON.CLEAR k D
BF.ADD k D
BF.MADD k D D
BF.INSERT k D D D D
CF.DEL k D
TOPK.ADD k D D
TS.ADD k D D
TS.MADD k D D l D D
FT.CREATE D D D
FT.SUGADD k D D
FUNCTION LOAD D
FUNCTION LOAD REPLACE D
FUNCTION DELETE D
RESTORE k 0 D
RESTORE k 5 D REPLACE ABSTTL IDLETIME 5
EVAL D 2 k l D D
EVALSHA D 0 D
EVAL_RO D 1 k D
FCALL D 1 k D
SCRIPT LOAD D
MIGRATE D D k D D D D D
PUBLISH D D
AUTH D D
CONFIG SET D D D D
ACL SETUSER D D D
REPLICAOF D D
DEBUG D D
GETRANGE k D D
ZUNION 2 k l D
CLUSTER MEET D D
NOSUCHCOMMAND D D D
SET D
XADD D D
XGROUP NOSUCH D D
`

// TestOnce holds that a scanner sees all data, and sees it once: each argument
// that is neither key nor word nor number of the command's own is the Field or
// Value of exactly one event.
func TestOnce(t *testing.T) {
	for _, command := range strings.Split(strings.TrimSpace(onceTests), "\n") {
		for _, size := range []int{3, 20, 200} {
			args := words(command)
			var data []string
			for i, a := range args {
				if a == "D" {
					d := fmt.Sprintf("<%d>", i)
					d += strings.Repeat("x", max(0, size-len(d)))
					args[i], data = d, append(data, d)
				}
			}
			for name, r := range map[string]*Reader{
				"whole":    NewReader(bytes.NewReader(resp(args)), Options{Resync: true}),
				"streamed": small(bytes.NewReader(resp(args)), Options{Resync: true}),
			} {
				events, err := read(t, r)
				if err != nil {
					t.Errorf("%s: %v", command, err)
				}
				seen := map[string]int{}
				var value []byte
				for _, e := range events {
					if e.Kind == keyspace.Delete && e.DB == -1 {
						seen[string(e.Key)]++ // a library
					}
					if e.Part.Begins() {
						seen[string(e.Field)]++
						value = nil
					}
					if value = append(value, e.Value...); e.Part.Ends() {
						seen[string(value)]++
					}
				}
				for _, d := range data {
					if seen[d] != 1 {
						t.Errorf("%s, %s, %d bytes: %.5s… is seen %d times", command, name, size, d, seen[d])
					}
				}
			}
		}
	}
}
