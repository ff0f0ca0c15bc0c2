package aof

import (
	"bytes"
	"strings"
	"testing"
)

// effectTests are commands and what they do, in a file without #TS.
var effectTests = []struct{ command, effects string }{
	// strings
	{`SET k v`, `key create string key="k"
		element put string key="k" value="v"
		key-end create string key="k" index=1`},
	{`SET k v EX 10`, `key create string key="k"
		element put string key="k" value="v"
		key-end create string key="k" index=1`},
	{`SET k v px 1500 NX GET`, `key create string key="k"
		element put string key="k" value="v"
		key-end create string key="k" index=1`},
	{`SET k v EXAT 1700000001`, `key create string key="k" expire=1700000001000
		element put string key="k" value="v"
		key-end create string key="k" index=1`},
	{`SET k v PXAT 1700000000500`, `key create string key="k" expire=1700000000500
		element put string key="k" value="v"
		key-end create string key="k" index=1`},
	{`SET k v KEEPTTL`, `key update string key="k"
		element put string key="k" value="v"
		key-end update string key="k" index=1`},
	{`SET k v IFEQ old`, `key create string key="k"
		element put string key="k" value="v"
		key-end create string key="k" index=1
		key key="k"
		element key="k" value="old" overwritten
		key-end key="k" index=1`},
	{`SET k v IFNE other PXAT 7`, `key create string key="k" expire=7
		element put string key="k" value="v"
		key-end create string key="k" index=1
		key key="k"
		element key="k" value="other"
		key-end key="k" index=1`},
	{`SET k v IFDEQ 0123456789abcdef`, `key create string key="k"
		element put string key="k" value="v"
		key-end create string key="k" index=1
		key key="k"
		element key="k" value="0123456789abcdef"
		key-end key="k" index=1`},
	{`SETNX k v`, `key create string key="k"
		element put string key="k" value="v"
		key-end create string key="k" index=1`},
	{`GETSET k v`, `key create string key="k"
		element put string key="k" value="v"
		key-end create string key="k" index=1`},
	{`SETEX k 10 v`, `key create string key="k"
		element put string key="k" value="v"
		key-end create string key="k" index=1`},
	{`PSETEX k 1500 v`, `key create string key="k"
		element put string key="k" value="v"
		key-end create string key="k" index=1`},
	{`MSET a 1 b 2`, `key create string key="a"
		element put string key="a" value="1"
		key-end create string key="a" index=1
		key create string key="b"
		element put string key="b" value="2"
		key-end create string key="b" index=1`},
	{`MSETNX a 1 b 2`, `key create string key="a"
		element put string key="a" value="1"
		key-end create string key="a" index=1
		key create string key="b"
		element put string key="b" value="2"
		key-end create string key="b" index=1`},
	{`MSETEX 2 a 1 b 2 NX PXAT 99`, `key create string key="a" expire=99
		element put string key="a" value="1"
		key-end create string key="a" index=1
		key create string key="b" expire=99
		element put string key="b" value="2"
		key-end create string key="b" index=1`},
	{`MSETEX 1 a 1 KEEPTTL`, `key update string key="a"
		element put string key="a" value="1"
		key-end update string key="a" index=1`},
	{`MSETEX 1 a 1`, `key create string key="a"
		element put string key="a" value="1"
		key-end create string key="a" index=1`},
	{`APPEND k v`, `key update string key="k"
		element append string key="k" value="v"
		key-end update string key="k" index=1`},
	{`INCR k`, `key update string key="k"
		key-end update string key="k"`},
	{`DECR k`, `key update string key="k"
		key-end update string key="k"`},
	{`INCRBY k 5`, `key update string key="k"
		element append string key="k" value="5"
		key-end update string key="k" index=1`},
	{`DECRBY k 5`, `key update string key="k"
		element append string key="k" value="5"
		key-end update string key="k" index=1`},
	{`INCRBYFLOAT k 1.5`, `key update string key="k"
		element append string key="k" value="1.5"
		key-end update string key="k" index=1`},
	{`INCREX k`, `key update string key="k"
		key-end update string key="k"`},
	{`INCREX k BYINT 3 UBOUND 9 PXAT 99`, `key update string key="k"
		element append string key="k" value="3"
		key-end update string key="k" index=1
		expire key="k" expire=99`},
	{`INCREX k PERSIST`, `key update string key="k"
		key-end update string key="k"
		expire key="k"`},
	{`INCREX k PXAT 99 ENX`, `key update string key="k"
		key-end update string key="k"`},
	{`SETRANGE k 3 v`, `key update string key="k"
		element append string key="k" value="v" index=3
		key-end update string key="k" index=1`},
	{`SETBIT k 7 1`, `key update string key="k"
		element append string key="k" value="1" index=7
		key-end update string key="k" index=1`},
	{`BITFIELD k GET u8 0 SET u8 0 200 OVERFLOW SAT INCRBY u8 8 1`, `key update string key="k"
		element append string key="k" value="200"
		element append string key="k" value="1" index=1
		key-end update string key="k" index=2`},
	{`BITOP AND dst a b`, `rename share key="a" value="dst"
		rename share key="b" value="dst"
		delete replace-some string key="dst"`},
	{`PFADD k a b`, `key update string key="k"
		element string key="k" value="a" recovered
		element string key="k" value="b" index=1 recovered
		key-end update string key="k" index=2`},
	{`PFMERGE dst a b`, `key update string key="dst"
		key-end update string key="dst"
		rename share key="a" value="dst"
		rename share key="b" value="dst"`},
	{`PFCOUNT k`, ``},
	{`PFDEBUG ENCODING k`, `key
		element value="ENCODING"
		key-end index=1`},
	{`GETDEL k`, `delete delete-key key="k"`},
	{`GETEX k PXAT 99`, `expire key="k" expire=99`},
	{`GETEX k PERSIST`, `expire key="k"`},
	{`GETEX k EX 10`, `key update key="k"
		key-end update key="k"`},
	{`GETEX k`, ``},
	{`GCRA k 5 1 1`, `key update gcra key="k"
		key-end update gcra key="k"`},
	{`GCRASETVALUE k 12345`, `key update gcra key="k"
		element put gcra key="k" value="12345"
		key-end update gcra key="k" index=1`},

	// hashes
	{`HSET k f v`, `key update hash key="k"
		element put hash key="k" field="f" value="v"
		key-end update hash key="k" index=1`},
	{`HSET k f v g w`, `key update hash key="k"
		element put hash key="k" field="f" value="v"
		element put hash key="k" field="g" value="w" index=1
		key-end update hash key="k" index=2`},
	{`HMSET k f v`, `key update hash key="k"
		element put hash key="k" field="f" value="v"
		key-end update hash key="k" index=1`},
	{`HSETNX k f v`, `key update hash key="k"
		element put hash key="k" field="f" value="v"
		key-end update hash key="k" index=1`},
	{`HSETC k f v`, `key create hash key="k"
		element put hash key="k" field="f" value="v"
		key-end create hash key="k" index=1`},
	{`HIMPORT SET k fields v w`, `key create hash key="k"
		element hash key="k" value="fields"
		element append hash key="k" value="v" index=1
		element append hash key="k" value="w" index=2
		key-end create hash key="k" index=3`},
	{`HIMPORT PREPARE fields a b`, `key
		element value="fields"
		element value="a" index=1
		element value="b" index=2
		key-end index=3`},
	{`HINCRBY k f 2`, `key update hash key="k"
		element append hash key="k" field="f" value="2"
		key-end update hash key="k" index=1`},
	{`HINCRBYFLOAT k f 2.5`, `key update hash key="k"
		element append hash key="k" field="f" value="2.5"
		key-end update hash key="k" index=1`},
	{`HSETEX k FIELDS 1 f v`, `key update hash key="k"
		element put hash key="k" field="f" value="v"
		key-end update hash key="k" index=1`},
	{`HSETEX k FNX PXAT 99 FIELDS 2 f v g w`, `key update hash key="k"
		element put hash key="k" field="f" value="v" expire=99
		element put hash key="k" field="g" value="w" index=1 expire=99
		key-end update hash key="k" index=2`},
	{`HSETEX k KEEPTTL FIELDS 1 f v`, `key update hash key="k"
		element put hash key="k" field="f" value="v" count=1
		key-end update hash key="k" index=1`},
	{`HDEL k f g`, `delete delete-element hash key="k" field="f"
		delete delete-element hash key="k" field="g"`},
	{`HGETDEL k FIELDS 2 f g`, `delete delete-element hash key="k" field="f"
		delete delete-element hash key="k" field="g"`},
	{`HGETEX k PXAT 99 FIELDS 1 f`, `expire hash key="k" field="f" expire=99`},
	{`HGETEX k PERSIST FIELDS 1 f`, `expire hash key="k" field="f"`},
	{`HGETEX k FIELDS 1 f`, `key key="k"
		element key="k" value="f"
		key-end key="k" index=1`},
	{`HEXPIRE k 10 FIELDS 1 f`, `key key="k"
		element key="k" value="f"
		key-end key="k" index=1`},
	{`HPEXPIRE k 1500 NX FIELDS 1 f`, `key key="k"
		element key="k" value="f"
		key-end key="k" index=1`},
	{`HEXPIREAT k 1700000001 FIELDS 1 f`, `expire hash key="k" field="f" expire=1700000001000`},
	{`HPEXPIREAT k 99 FIELDS 2 f g`, `expire hash key="k" field="f" expire=99
		expire hash key="k" field="g" expire=99`},
	{`HPEXPIREAT k 99 GT FIELDS 1 f`, `expire expire-if-later hash key="k" field="f" expire=99`},
	{`HPERSIST k FIELDS 1 f`, `expire hash key="k" field="f"`},
	{`PHSET k path FNX FIELDS 1 f v`, `key update hash key="k"
		element hash key="k" value="path"
		element append hash key="k" field="f" value="v" index=1
		key-end update hash key="k" index=2`},
	{`PHDEL k path f`, `delete delete-some hash key="k" field="path"
		delete delete-some hash key="k" field="f"`},
	{`PHDELPREFIX k prefix`, `delete delete-some hash key="k" field="prefix"`},
	{`PHDELPATH k p q`, `delete delete-some hash key="k" field="p"
		delete delete-some hash key="k" field="q"`},

	// lists
	{`LPUSH k a b`, `key update list key="k"
		element push-head list key="k" value="a"
		element push-head list key="k" value="b" index=1
		key-end update list key="k" index=2`},
	{`RPUSH k a b`, `key update list key="k"
		element push-tail list key="k" value="a"
		element push-tail list key="k" value="b" index=1
		key-end update list key="k" index=2`},
	{`LPUSHX k a`, `key update list key="k"
		element push-head list key="k" value="a"
		key-end update list key="k" index=1`},
	{`RPUSHX k a`, `key update list key="k"
		element push-tail list key="k" value="a"
		key-end update list key="k" index=1`},
	{`LSET k -1 v`, `key update list key="k"
		element set-index list key="k" value="v" index=-1
		key-end update list key="k" index=1`},
	{`LINSERT k BEFORE p v`, `key update list key="k"
		element insert-before list key="k" field="p" value="v"
		key-end update list key="k" index=1`},
	{`LINSERT k after p v`, `key update list key="k"
		element insert-after list key="k" field="p" value="v"
		key-end update list key="k" index=1`},
	{`LPOP k`, `delete pop-head list key="k" index=1`},
	{`LPOP k 3`, `delete pop-head list key="k" index=3`},
	{`RPOP k`, `delete pop-tail list key="k" index=1`},
	{`RPOP k 3`, `delete pop-tail list key="k" index=3`},
	{`LREM k -2 v`, `delete remove list key="k" value="v" index=-2`},
	{`LTRIM k 1 -1`, `delete trim list key="k" index=1 count=-1`},
	{`RPOPLPUSH a b`, `delete move-end list key="a" value="b" index=1`},
	{`BRPOPLPUSH a b 0`, `delete move-end list key="a" value="b" index=1`},
	{`LMOVE a b LEFT RIGHT`, `delete move-end list key="a" value="b" index=2`},
	{`BLMOVE a b RIGHT RIGHT 0`, `delete move-end list key="a" value="b" index=3`},
	{`LMOVEM a b LEFT RIGHT`, `delete move-end list key="a" value="b" index=2`},
	{`LMOVEM a b LEFT LEFT COUNT 3 BULK`, `delete delete-some list key="a"
		delete delete-some list key="b"`},
	{`BLMOVEM a b RIGHT LEFT 0 EXACTLY 1 OBO`, `delete move-end list key="a" value="b" index=1`},
	{`BLPOP a 0`, `delete pop-head list key="a" index=1`},
	{`BLPOP a b 0`, `delete delete-some list key="a"
		delete delete-some list key="b"`},
	{`BRPOP a 0`, `delete pop-tail list key="a" index=1`},
	{`LMPOP 1 a LEFT COUNT 2`, `delete pop-head list key="a" index=2`},
	{`LMPOP 1 a RIGHT`, `delete pop-tail list key="a" index=1`},
	{`LMPOP 2 a b LEFT`, `delete delete-some list key="a"
		delete delete-some list key="b"`},
	{`BLMPOP 0 1 a LEFT`, `delete pop-head list key="a" index=1`},

	// sets
	{`SADD k a b`, `key update set key="k"
		element put set key="k" value="a"
		element put set key="k" value="b" index=1
		key-end update set key="k" index=2`},
	{`SREM k a b`, `delete delete-element set key="k" value="a"
		delete delete-element set key="k" value="b"`},
	{`SMOVE a b m`, `rename move-member set key="a" field="m" value="b"`},
	{`SPOP k`, `delete delete-some set key="k"`},
	{`SPOP k 2`, `delete delete-some set key="k"`},
	{`SINTERSTORE dst a b`, `rename share key="a" value="dst"
		rename share key="b" value="dst"
		delete replace-some set key="dst"`},
	{`SUNIONSTORE dst a`, `rename share key="a" value="dst"
		delete replace-some set key="dst"`},
	{`SDIFFSTORE dst a`, `rename share key="a" value="dst"
		delete replace-some set key="dst"`},

	// sorted sets
	{`ZADD k 1 a 2.5 b`, `key update zset key="k"
		element put zset key="k" value="a" score=1
		element put zset key="k" value="b" index=1 score=2.5
		key-end update zset key="k" index=2`},
	{`ZADD k NX CH 1 a`, `key update zset key="k"
		element put zset key="k" value="a" count=1 score=1
		key-end update zset key="k" index=1`},
	{`ZADD k INCR 3 a`, `key update zset key="k"
		element append zset key="k" value="a" score=3
		key-end update zset key="k" index=1`},
	{`ZADD k XX GT -inf a`, `key update zset key="k"
		element put zset key="k" value="a" count=1 score=-Inf
		key-end update zset key="k" index=1`},
	{`ZINCRBY k 2 a`, `key update zset key="k"
		element append zset key="k" value="a" score=2
		key-end update zset key="k" index=1`},
	{`ZREM k a b`, `delete delete-element zset key="k" value="a"
		delete delete-element zset key="k" value="b"`},
	{`ZPOPMIN k`, `delete delete-ranks zset key="k"`},
	{`ZPOPMAX k 2`, `delete delete-ranks zset key="k" index=-2 count=-1`},
	{`BZPOPMIN k 0`, `delete delete-ranks zset key="k"`},
	{`BZPOPMAX k j 0`, `delete delete-some zset key="k"
		delete delete-some zset key="j"`},
	{`ZMPOP 1 k MIN COUNT 2`, `delete delete-ranks zset key="k" count=1`},
	{`BZMPOP 0 2 k j MAX`, `delete delete-some zset key="k"
		delete delete-some zset key="j"`},
	{`ZREMRANGEBYSCORE k 1 (5`, `delete delete-scores zset key="k" field="1" value="(5"`},
	{`ZREMRANGEBYRANK k 0 -1`, `delete delete-ranks zset key="k" count=-1`},
	{`ZREMRANGEBYLEX k [aa (b`, `delete delete-some zset key="k" field="[aa" value="(b"`},
	{`ZRANGESTORE dst src 0 -1 REV`, `rename share key="src" value="dst"
		delete replace-some zset key="dst" field="0" value="-1"`},
	{`ZUNIONSTORE dst 2 a b WEIGHTS 1 2`, `rename share key="a" value="dst"
		rename share key="b" value="dst"
		delete replace-some zset key="dst"`},
	{`ZINTERSTORE dst 1 a`, `rename share key="a" value="dst"
		delete replace-some zset key="dst"`},
	{`ZDIFFSTORE dst 2 a b`, `rename share key="a" value="dst"
		rename share key="b" value="dst"
		delete replace-some zset key="dst"`},
	{`GEOADD k 13.361389 38.115556 m`, `key update zset key="k"
		element put zset key="k" value="m" count=1
		key-end update zset key="k" index=1`},
	{`GEOADD k NX CH 1 2 m 3 4 n`, `key update zset key="k"
		element put zset key="k" value="m" count=1
		element put zset key="k" value="n" index=1 count=1
		key-end update zset key="k" index=2`},
	{`GEOSEARCHSTORE dst src FROMMEMBER m BYRADIUS 1 km STOREDIST`, `rename share key="src" value="dst"
		delete replace-some zset key="dst"
		key key="dst"
		element key="dst" value="m"
		key-end key="dst" index=1`},
	{`GEORADIUS k 1 2 3 km STORE dst`, `rename share key="k" value="dst"
		delete replace-some zset key="dst"`},
	{`GEORADIUSBYMEMBER k m 3 km STOREDIST dst`, `key key="k"
		element key="k" value="m"
		key-end key="k" index=1
		rename share key="k" value="dst"
		delete replace-some zset key="dst"`},

	// streams
	{`XADD k 5-1 f v g w`, `key update stream key="k"
		element put stream key="k" field="f" value="v" id=5-1
		element put stream key="k" field="g" value="w" index=1 id=5-1
		key-end update stream key="k" index=2`},
	{`XADD k MAXLEN = 10 5-1 f v`, `key update stream key="k"
		element put stream key="k" field="f" value="v" id=5-1
		key-end update stream key="k" index=1
		delete trim-length stream key="k" index=10`},
	{`XADD k NOMKSTREAM MINID ~ 3-0 LIMIT 5 5-1 f v`, `key update stream key="k"
		element put stream key="k" field="f" value="v" id=5-1
		key-end update stream key="k" index=1
		delete delete-some stream key="k"`},
	{`XADD k IDMP producer id 5-1 f v`, `key update stream key="k"
		element stream key="k" value="producer"
		element stream key="k" value="id" index=1
		element put stream key="k" field="f" value="v" id=5-1
		key-end update stream key="k" index=3`},
	{`XADD k KEEPREF IDMPAUTO producer MAXLEN 3 5-1 f v`, `key update stream key="k"
		element stream key="k" value="producer"
		element put stream key="k" field="f" value="v" id=5-1
		key-end update stream key="k" index=2
		delete trim-length stream key="k" index=3`},
	{`XADD k * f v`, `key update stream key="k"
		element append stream key="k" field="f" value="v"
		key-end update stream key="k" index=1`},
	{`XTRIM k MAXLEN 10`, `delete trim-length stream key="k" index=10`},
	{`XTRIM k MINID = 5-3`, `delete trim-id stream key="k" id=5-3`},
	{`XTRIM k MAXLEN ~ 10 LIMIT 5`, `delete delete-some stream key="k"`},
	{`XDEL k 5-1 6`, `delete delete-element stream key="k" id=5-1
		delete delete-element stream key="k" id=6-0`},
	{`XDELEX k IDS 2 5-1 6-1`, `delete delete-element stream key="k" id=5-1
		delete delete-element stream key="k" id=6-1`},
	{`XDELEX k IDS 1 5-1 ACKED`, `delete delete-some stream key="k" id=5-1`},
	{`XACKDEL k g DELREF IDS 1 5-1`, `delete ack stream key="k" field="g" id=5-1
		delete delete-element stream key="k" id=5-1`},
	{`XSETID k 9-9`, `key update stream key="k"
		stream-meta stream key="k" index=-1 count=-1 id=9-9
		key-end update stream key="k"`},
	{`XSETID k 9-9 ENTRIESADDED 7 MAXDELETEDID 8-8`, `key update stream key="k"
		stream-meta stream key="k" value="8-8" index=-1 count=7 id=9-9
		key-end update stream key="k"`},
	{`XCFGSET k IDMP-DURATION 5`, `key update stream key="k"
		key-end update stream key="k"`},
	{`XGROUP CREATE k g 5-1 MKSTREAM ENTRIESREAD 3`, `key update stream key="k"
		group stream key="k" field="g" index=3 id=5-1
		key-end update stream key="k"`},
	{`XGROUP CREATE k g $`, `key update stream key="k"
		group stream key="k" field="g" index=-1
		key-end update stream key="k"`},
	{`xgroup setid k g 6-1`, `key update stream key="k"
		group stream key="k" field="g" index=-1 id=6-1
		key-end update stream key="k"`},
	{`XGROUP CREATECONSUMER k g c`, `key update stream key="k"
		consumer stream key="k" field="g" value="c"
		key-end update stream key="k"`},
	{`XGROUP DELCONSUMER k g c`, `delete delete-group stream key="k" field="g" value="c"`},
	{`XGROUP DESTROY k g`, `delete delete-group stream key="k" field="g"`},
	{`XACK k g 5-1 6-1`, `delete ack stream key="k" field="g" id=5-1
		delete ack stream key="k" field="g" id=6-1`},
	{`XNACK k g FAIL IDS 2 5-1 6-1 RETRYCOUNT 2`, `key update stream key="k"
		pending put stream key="k" field="g" id=5-1
		pending put stream key="k" field="g" id=6-1
		key-end update stream key="k"`},
	{`XCLAIM k g c 0 5-1 6-1 TIME 1234 RETRYCOUNT 2 FORCE JUSTID LASTID 6-1`, `key update stream key="k"
		pending put stream key="k" field="g" value="c" index=2 id=5-1
		pending put stream key="k" field="g" value="c" index=2 id=6-1
		key-end update stream key="k"`},
	{`XCLAIM k g c 0 5-1`, `key update stream key="k"
		pending put stream key="k" field="g" value="c" id=5-1
		key-end update stream key="k"`},
	{`XCLAIM k g c 0 5-1 IDLE 5`, `key update stream key="k"
		pending put stream key="k" field="g" value="c" id=5-1
		key-end update stream key="k"`},
	{`XAUTOCLAIM k g c 0 0-0 COUNT 5`, `key update stream key="k"
		consumer stream key="k" field="g" value="c"
		key-end update stream key="k"`},
	{`XREADGROUP GROUP g c COUNT 1 STREAMS a b > >`, `key stream
		element stream value="g"
		element stream value="c" index=1
		key-end stream index=2
		key update stream key="a"
		key-end update stream key="a"
		key update stream key="b"
		key-end update stream key="b"`},

	// arrays
	{`ARSET k 5 a b`, `key update array key="k"
		element put array key="k" value="a" index=5
		element put array key="k" value="b" index=6
		key-end update array key="k" index=2`},
	{`ARMSET k 5 a 18446744073709551614 b`, `key update array key="k"
		element put array key="k" value="a" index=5
		element put array key="k" value="b" index=-2
		key-end update array key="k" index=2`},
	{`ARINSERT k a b`, `key update array key="k"
		element append array key="k" value="a" index=-1
		element append array key="k" value="b" index=-1
		key-end update array key="k" index=2`},
	{`ARRING k 10 a`, `delete delete-some array key="k"
		key update array key="k"
		element append array key="k" value="a" index=-1
		key-end update array key="k" index=1`},
	{`ARDEL k 5 6`, `delete delete-element array key="k" index=5
		delete delete-element array key="k" index=6`},
	{`ARDELRANGE k 1 2 5 6`, `delete delete-some array key="k" index=1 count=2
		delete delete-some array key="k" index=5 count=6`},
	{`ARSEEK k 5`, `key update array key="k"
		key-end update array key="k"`},

	// vector sets
	{`VADD k FP32 blob e`, `key update vectorset key="k"
		element append vectorset key="k" value="blob"
		element put vectorset key="k" value="e" index=1
		key-end update vectorset key="k" index=2`},
	{`VADD k REDUCE 2 VALUES 2 1.5 2.5 e CAS Q8 EF 100 SETATTR {} M 16`, `key update vectorset key="k"
		element append vectorset key="k" value="1.5"
		element append vectorset key="k" value="2.5" index=1
		element put vectorset key="k" value="e" index=2
		element append vectorset key="k" value="{}" index=3
		key-end update vectorset key="k" index=4`},
	{`VREM k e`, `delete delete-element vectorset key="k" value="e"`},
	{`VSETATTR k e {}`, `key update vectorset key="k"
		element append vectorset key="k" field="e" value="{}"
		key-end update vectorset key="k" index=1`},

	// modules
	{`JSON.SET k $ {}`, `key create module key="k"
		element put module key="k" field="$" value="{}"
		key-end create module key="k" index=1`},
	{`JSON.SET k $.a 1 NX`, `key update module key="k"
		element put module key="k" field="$.a" value="1"
		key-end update module key="k" index=1`},
	{`JSON.MSET a $ 1 b $.x 2`, `key create module key="a"
		element put module key="a" field="$" value="1"
		key-end create module key="a" index=1
		key update module key="b"
		element put module key="b" field="$.x" value="2"
		key-end update module key="b" index=1`},
	{`JSON.MERGE k $ {}`, `key update module key="k"
		element append module key="k" field="$" value="{}"
		key-end update module key="k" index=1`},
	{`JSON.DEL k`, `delete delete-key key="k"`},
	{`JSON.DEL k $.a`, `delete delete-element module key="k" field="$.a"`},
	{`JSON.FORGET k .`, `delete delete-key key="k"`},
	{`JSON.CLEAR k $`, `delete delete-some module key="k" field="$"`},
	{`JSON.TOGGLE k $.a`, `delete delete-some module key="k" field="$.a"`},
	{`JSON.NUMINCRBY k $.a 2`, `key update module key="k"
		element append module key="k" field="$.a" value="2"
		key-end update module key="k" index=1`},
	{`JSON.NUMMULTBY k $.a 2`, `key update module key="k"
		element append module key="k" field="$.a" value="2"
		key-end update module key="k" index=1`},
	{`JSON.STRAPPEND k "x"`, `key update module key="k"
		element append module key="k" value="\"x\""
		key-end update module key="k" index=1`},
	{`JSON.STRAPPEND k $.a "x"`, `key update module key="k"
		element append module key="k" field="$.a" value="\"x\""
		key-end update module key="k" index=1`},
	{`JSON.ARRAPPEND k $.a 1 2`, `key update module key="k"
		element append module key="k" field="$.a" value="1"
		element append module key="k" value="2" index=1
		key-end update module key="k" index=2`},
	{`JSON.ARRINSERT k $.a 0 1`, `key update module key="k"
		element append module key="k" field="$.a" value="1"
		key-end update module key="k" index=1`},
	{`JSON.ARRPOP k $.a 0`, `delete delete-some module key="k" field="$.a"`},
	{`JSON.ARRTRIM k $.a 0 1`, `delete delete-some module key="k" field="$.a"`},
	{`BF.ADD k item`, `key update module key="k"
		element append module key="k" value="item"
		key-end update module key="k" index=1`},
	{`BF.INSERT k CAPACITY 5 ITEMS a`, `key update module key="k"
		element append module key="k" value="CAPACITY"
		element append module key="k" value="5" index=1
		element append module key="k" value="ITEMS" index=2
		element append module key="k" value="a" index=3
		key-end update module key="k" index=4`},
	{`CF.DEL k item`, `delete delete-some module key="k" value="item"`},
	{`CMS.MERGE dst 2 a b WEIGHTS 1 2`, `rename share key="a" value="dst"
		rename share key="b" value="dst"
		delete replace-some module key="dst"`},
	{`TDIGEST.RESET k`, `delete delete-some module key="k"`},
	{`TS.MADD a 1 2 b 3 4`, `key update module key="a"
		element append module key="a" value="1"
		element append module key="a" value="2" index=1
		key-end update module key="a" index=2
		key update module key="b"
		element append module key="b" value="3"
		element append module key="b" value="4" index=1
		key-end update module key="b" index=2`},
	{`TS.CREATERULE a b AGGREGATION avg 5`, `key update module key="a"
		key-end update module key="a"`},
	{`FT.CREATE idx SCHEMA f TEXT`, `key
		element value="idx"
		element value="SCHEMA" index=1
		element value="f" index=2
		element value="TEXT" index=3
		key-end index=4`},

	// keys
	{`DEL a b`, `delete delete-key key="a"
		delete delete-key key="b"`},
	{`UNLINK a`, `delete delete-key key="a"`},
	{`DELEX k IFEQ old`, `delete delete-key key="k"
		key key="k"
		element key="k" value="old" deleted
		key-end key="k" index=1`},
	{`DELEX k IFNE other`, `delete delete-key key="k"
		key key="k"
		element key="k" value="other"
		key-end key="k" index=1`},
	{`DELIFEQ k old`, `delete delete-key key="k"
		key key="k"
		element key="k" value="old" deleted
		key-end key="k" index=1`},
	{`EXPIRE k 10`, `key update key="k"
		key-end update key="k"`},
	{`PEXPIRE k 1500 NX`, `key update key="k"
		key-end update key="k"`},
	{`EXPIREAT k 1700000001`, `expire key="k" expire=1700000001000`},
	{`PEXPIREAT k 99`, `expire key="k" expire=99`},
	{`PERSIST k`, `expire key="k"`},
	{`RENAME a b`, `rename rename key="a" value="b"`},
	{`RENAMENX a b`, `rename rename key="a" value="b"`},
	{`COPY a b`, `rename copy key="a" value="b"`},
	{`COPY a b DB 2 REPLACE`, `rename copy key="a" value="b" index=2`},
	{`MOVE k 3`, `rename move key="k" value="k" index=3`},
	{`MOVE k 3 REPLACE`, `rename move key="k" value="k" index=3`},
	{`SWAPDB 1 2`, `swapdb index=2`},
	{`FLUSHDB ASYNC`, `flush`},
	{`FLUSHALL`, `flush`},
	{`SORT k BY w_* LIMIT 0 5 GET # ALPHA STORE dst`, `rename share key="k" value="dst"
		delete replace-some list key="dst"`},
	{`SORT k`, ``},
	{`MIGRATE host 1 k 0 5 AUTH pw`, `key
		element value="host"
		element value="1" index=1
		element value="0" index=2
		element value="5" index=3
		element value="AUTH" index=4
		element value="pw" index=5
		key-end index=6`},

	// functions and scripts
	{`FUNCTION DELETE lib`, `delete delete-library key="lib"`},
	{`FUNCTION FLUSH ASYNC`, `delete delete-library`},
	{`EVAL script 1 k arg`, `key
		element value="script"
		key-end index=1
		delete delete-some key="k"
		key key="k"
		element key="k" value="arg"
		key-end key="k" index=1`},
	{`FCALL fn 0 arg`, `key
		element value="fn"
		key-end index=1
		key
		element value="arg"
		key-end index=1`},
	{`SCRIPT LOAD script`, `key
		element value="LOAD"
		element value="script" index=1
		key-end index=2`},

	// others
	{`GET k`, ``},
	{`MGET a b`, ``},
	{`CONFIG SET dir /tmp`, `key
		element value="SET"
		element value="dir" index=1
		element value="/tmp" index=2
		key-end index=3`},
	{`AUTH user pw`, `key
		element value="user"
		element value="pw" index=1
		key-end index=2`},
	{`CLUSTER FLUSHSLOT 5`, `key
		element value="5"
		key-end index=1`},
	{`FOO bar baz`, `key
		element value="bar"
		element value="baz" index=1
		key-end index=2`},
	{`XGROUP NOSUCH k`, `key
		element value="NOSUCH"
		element value="k" index=1
		key-end index=2`},
}

func TestEffects(t *testing.T) {
	for _, test := range effectTests {
		data := resp(words(test.command))
		events, err := read(t, NewReader(bytes.NewReader(data), Options{}))
		if err != nil {
			t.Errorf("%s: %v", test.command, err)
			continue
		}
		var want []string
		for _, l := range strings.Split(test.effects, "\n") {
			want = append(want, strings.TrimSpace(l))
		}
		if got := strings.Join(effects(events), "\n"); got != strings.Join(want, "\n") {
			t.Errorf("%s\n got %s\nwant %s", test.command, got, strings.Join(want, "\n"))
		}
		checkOffsets(t, data, events)
	}
}
