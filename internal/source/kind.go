package source

// Kind says what a file is, judged by its bytes.
type Kind string

// The kinds of files. Those from Conf to Text are read line by line.
const (
	RDB      Kind = "rdb"      // a snapshot, or the base file of a log
	AOF      Kind = "aof"      // an append-only file, pure RESP or behind an RDB preamble
	Manifest Kind = "manifest" // the manifest of an appendonlydir
	Conf     Kind = "conf"     // valkey.conf, redis.conf, sentinel.conf
	ACL      Kind = "acl"      // an ACL file
	Nodes    Kind = "nodes"    // nodes.conf of a cluster
	Log      Kind = "log"      // the log of a server or a sentinel
	History  Kind = "history"  // .valkeycli_history, .rediscli_history
	Text     Kind = "text"     // any other text
	Volume   Kind = "volume"   // a disk image, a partition or a file system: File.Next names what opens it
	Sealed   Kind = "sealed"   // an age file that no given identity opens
	Empty    Kind = "empty"
	Other    Kind = "other" // none of these; also what is no regular file
)

// IsText reports whether files of the kind are read line by line.
func (k Kind) IsText() bool {
	switch k {
	case Conf, ACL, Nodes, Log, History, Text:
		return true
	}
	return false
}

// Role is the part that a file plays among the files beside it.
type Role string

// The roles of a file.
const (
	NoRole      Role = ""
	Base        Role = "base"    // named by a manifest: where its log begins
	Incr        Role = "incr"    // named by a manifest: what happened since
	HistoryFile Role = "history" // named by a manifest as superseded, not yet deleted
	Orphan      Role = "orphan"  // lies beside a manifest that does not name it
	Temporary   Role = "temp"    // what a save or rewrite that did not finish left
)
