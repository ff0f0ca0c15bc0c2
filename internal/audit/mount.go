package audit

import (
	"fmt"
	"path"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// mount is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	device  string // "8:1"
	root    string
	point   string
	options string
	kind    string
	source  string
}

// readMounts returns what is mounted, nil if the host does not tell: an image of
// a host has no /proc, unless it was recorded.
func readMounts(fs *hostfs.FS) []mount {
	text, err := fs.ReadFile("/proc/self/mountinfo", 8*maxText)
	if err != nil {
		return nil
	}
	var ms []mount
	for line := range strings.Lines(string(text)) {
		head, tail, ok := strings.Cut(strings.TrimSpace(line), " - ")
		h, t := strings.Fields(head), strings.Fields(tail)
		if !ok || len(h) < 6 || len(t) < 2 {
			continue
		}
		ms = append(ms, mount{device: h[2], root: unoctal(h[3]), point: unoctal(h[4]), options: h[5], kind: t[0], source: unoctal(t[1])})
	}
	return ms
}

// unoctal undoes \040 and the like (fs/proc_namespace.c, mangle).
func unoctal(s string) string {
	for i := 0; i+3 < len(s); i++ {
		var c byte
		if s[i] != '\\' {
			continue
		}
		if n, _ := fmt.Sscanf(s[i+1:i+4], "%03o", &c); n == 1 {
			s = s[:i] + string(c) + s[i+4:]
		}
	}
	return s
}

// mountOf returns the mount that a path without symbolic links lies on: of those
// at the longest point the last, which covers the others.
func mountOf(ms []mount, name string) *mount {
	var best *mount
	for i := range ms {
		m := &ms[i]
		if name == m.point || m.point == "/" || strings.HasPrefix(name, m.point+"/") {
			if best == nil || len(m.point) >= len(best.point) {
				best = m
			}
		}
	}
	return best
}

// encryption is whether what lies at a place is encrypted on its medium.
type encryption struct {
	known, encrypted bool
	why              string
}

// encryptedAt tells whether a directory lies on encrypted storage: fscrypt, a
// stacked encrypting file system, or a block device over dm-crypt.
func encryptedAt(fs *hostfs.FS, ms []mount, name string) encryption {
	resolved, err := fs.Resolve(name)
	if err != nil {
		return encryption{why: "the directory cannot be looked at"}
	}
	if fs.Live() {
		if on, _ := fs.Encrypted(resolved); on {
			return encryption{true, true, "fscrypt: STATX_ATTR_ENCRYPTED"}
		}
	}
	m := mountOf(ms, resolved)
	if m == nil {
		return encryption{why: "no /proc/self/mountinfo tells what is mounted"}
	}
	switch {
	case m.kind == "ecryptfs" || m.kind == "fuse.gocryptfs" || m.kind == "fuse.encfs" || m.kind == "fuse.cryfs":
		return encryption{true, true, "mounted through " + m.kind}
	case m.kind == "tmpfs" || m.kind == "ramfs":
		return encryption{true, true, "in memory: " + m.kind + " (swap is another check's)"}
	case strings.HasPrefix(m.device, "0:"):
		return encryption{why: fmt.Sprintf("on %s, which does not tell whether its storage is encrypted", m.kind)}
	}
	return encryptedDevice(fs, m.device, 0)
}

// maxStack bounds how many block devices stand on each other.
const maxStack = 16

// encryptedDevice looks for dm-crypt in a block device and in all that it stands
// on (/sys/dev/block/M:m: dm/uuid begins with CRYPT-, slaves are below).
func encryptedDevice(fs *hostfs.FS, device string, depth int) encryption {
	dir := "/sys/dev/block/" + device
	if _, err := fs.Stat(dir); err != nil || depth > maxStack {
		return encryption{why: "/sys does not tell what block device " + device + " is"}
	}
	if uuid, err := fs.ReadFile(path.Join(dir, "dm/uuid"), 4096); err == nil && strings.HasPrefix(string(uuid), "CRYPT-") {
		return encryption{true, true, "dm-crypt: device " + device}
	}
	slaves, _ := fs.ReadDir(path.Join(dir, "slaves"))
	all := encryption{true, len(slaves) > 0, "block device " + device + " over dm-crypt"}
	for _, s := range slaves {
		number, err := fs.ReadFile(path.Join(dir, "slaves", s, "dev"), 64)
		if err != nil {
			return encryption{why: "/sys does not tell what " + device + " stands on"}
		}
		e := encryptedDevice(fs, strings.TrimSpace(string(number)), depth+1)
		if !e.known {
			return e
		}
		all.encrypted = all.encrypted && e.encrypted
	}
	if !all.encrypted {
		return encryption{true, false, "no dm-crypt below block device " + device + "; the medium itself may encrypt, which it does not tell"}
	}
	return all
}
