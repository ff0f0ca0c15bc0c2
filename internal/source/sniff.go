package source

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// sniff says what a file is from its first bytes, up to sniffHead of them,
// inside its layers.
func sniff(head []byte) (Kind, *volume) {
	switch {
	case len(head) == 0:
		return Empty, nil
	case rdb.Sniff(head), cutMagic(head):
		return RDB, nil // or AOF, as the aux fields say: see describe
	case aof.Sniff(head), looksLikeCommands(head):
		return AOF, nil
	}
	if v := sniffVolume(head); v != nil {
		return Volume, v
	}
	if isText(head) {
		return sniffText(head), nil
	}
	return Other, nil
}

// cutMagic reports whether all there is of a file is the beginning of a
// snapshot's header: at least five bytes of REDIS0011 or VALKEY080. Less is as
// likely to be text.
func cutMagic(head []byte) bool {
	const least, whole = 5, 9
	if len(head) < least || len(head) >= whole {
		return false
	}
	word := bytes.TrimRight(head, "0123456789")
	return bytes.Equal(word, []byte("REDIS")) || len(word) == len(head) && bytes.HasPrefix([]byte("VALKEY"), word) || bytes.Equal(word, []byte("VALKEY"))
}

// looksLikeCommands reports whether a file whose start is damaged goes on as an
// append-only file: two commands stand in its head, each a line "*<n>" that a
// line "$<n>" follows.
func looksLikeCommands(head []byte) bool {
	found := 0
	for found < 2 {
		i := bytes.Index(head, []byte("\r\n*"))
		if i < 0 {
			return false
		}
		head = head[i+3:]
		rest := bytes.TrimLeft(head, "0123456789")
		if len(rest) == len(head) || !bytes.HasPrefix(rest, []byte("\r\n$")) {
			continue
		}
		arg := rest[3:]
		if end := bytes.TrimLeft(arg, "0123456789"); len(end) < len(arg) && bytes.HasPrefix(end, []byte("\r\n")) {
			found++
		}
	}
	return true
}
