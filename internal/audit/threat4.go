package audit

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// Data persistence exposure.
var threat4 = []Check{
	{ID: "VFS-DATA-001", Threat: 4, Severity: High, Title: "Data files are for the server only", References: []string{"NIST 800-53 AC-3", "STIG V-251247", "CWE-732", "ATT&CK T1005"}, run: checkDataModes},
	{ID: "VFS-DATA-002", Threat: 4, Severity: High, Title: "The data directory is for the server only", References: []string{"NIST 800-53 AC-3", "STIG V-251247", "CWE-732"}, run: checkDataDir},
	{ID: "VFS-DATA-003", Threat: 4, Severity: High, Title: "No access control list opens the data to others", References: []string{"NIST 800-53 AC-3", "STIG V-251247", "CWE-732"}, run: checkDataACL},
	{ID: "VFS-DATA-004", Threat: 4, Severity: Medium, Title: "The data belong to the server's user", References: []string{"NIST 800-53 AC-3", "STIG V-251247"}, run: checkDataOwner},
	{ID: "VFS-DATA-005", Threat: 4, Severity: Medium, Title: "Data files are not links, and have one name", References: []string{"NIST 800-53 AC-3", "STIG V-251247", "CWE-59"}, run: checkDataLinks},
	{ID: "VFS-DATA-006", Threat: 4, Severity: High, Title: "The data are encrypted at rest", References: []string{"NIST 800-53 SC-28", "STIG V-251242", "STIG V-251244", "CWE-311"}, run: checkEncryption},
	{ID: "VFS-DATA-007", Threat: 4, Severity: Medium, Title: "Memory does not reach the disk through swap", References: []string{"NIST 800-53 SC-28", "STIG V-251246"}, run: checkSwap},
	{ID: "VFS-DATA-008", Threat: 4, Severity: Medium, Title: "Memory does not reach the disk through core dumps", References: []string{"NIST 800-53 SC-28", "STIG V-251246", "CWE-528"}, run: checkCores},
	{ID: "VFS-DATA-009", Threat: 4, Severity: High, Title: "No temporary files are left", References: []string{"NIST 800-53 SC-28", "CWE-459"}, run: checkTemps},
	{ID: "VFS-DATA-010", Threat: 4, Severity: High, Title: "No unsealed copies lie in the data directory", References: []string{"NIST 800-53 CP-9", "CWE-530"}, run: checkCopies},
	{ID: "VFS-DATA-011", Threat: 4, Severity: Medium, Title: "No data lie there if nothing is to be saved", References: []string{"NIST 800-53 SC-28"}, run: checkLeftover},
	{ID: "VFS-DATA-012", Threat: 4, Severity: Medium, Title: "The server does not run as root, and its files are its own", References: []string{"NIST 800-53 AC-6", "STIG V-251211", "CWE-250"}, run: checkUnitUser},
	{ID: "VFS-DATA-013", Threat: 4, Severity: Low, Title: "The unit confines the server", References: []string{"NIST 800-53 AC-6"}, run: checkUnitSandbox},
	{ID: "VFS-DATA-014", Threat: 4, Severity: Low, Title: "Disk-less replication leaves no snapshot behind", References: []string{"NIST 800-53 SC-28"}, run: checkSyncFiles},
	{ID: "VFS-DATA-015", Threat: 4, Severity: Medium, Title: "There is a recent sealed backup", References: []string{"NIST 800-53 CP-9"}, run: checkBackupAge},
	{ID: "VFS-DATA-016", Threat: 4, Severity: Medium, Title: "Backups lie on another device, and are signed", References: []string{"NIST 800-53 CP-9", "NIST 800-53 SI-7"}, run: checkBackupPlace},
	{ID: "VFS-DATA-017", Threat: 4, Severity: Medium, Title: "Backups have been verified lately", References: []string{"NIST 800-53 CP-9(1)", "NIST 800-53 SI-7"}, run: checkBackupVerified},
	{ID: "VFS-DATA-018", Threat: 4, Severity: Medium, Title: "Backups open with keys that lie elsewhere", References: []string{"NIST 800-53 CP-9", "NIST 800-53 SC-12"}, run: checkBackupRecipients},
}

const sticky = fs.ModeSticky

const noData = "the data directory is not known, or not there"

// dataFiles returns the files of the data directory that hold data; and an answer
// where there is no directory.
func (s *Subject) dataFiles() ([]DataFile, []Answer) {
	if s.Data == nil {
		if s.DataError != nil {
			return nil, unknown("the data directory cannot be read: %v", plainError(s.DataError))
		}
		return nil, unknown(noData)
	}
	var files []DataFile
	for _, f := range s.Data.Files {
		if f.Kind == source.RDB || f.Kind == source.AOF || f.Kind == source.Manifest || f.Kind == source.ACL || f.Unread && isData(f.Path) {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		if s.Data.Lost > 0 {
			return nil, unknown(notAll)
		}
		return nil, na("no data files in the data directory")
	}
	return files, nil
}

// plainError is an error without the paths of the examining machine.
func plainError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func checkDataModes(s *Subject) []Answer {
	files, answer := s.dataFiles()
	if answer != nil {
		return answer
	}
	var fs []Answer
	for _, f := range files {
		where := Place{File: f.Path}
		remedy := "chmod 0600 " + f.Path
		switch mode := f.Mode.Perm(); {
		case mode&0o002 != 0:
			fs = append(fs, fail(where, remedy, "mode %04o: everyone can change it", mode).severe(Critical))
		case mode&0o004 != 0:
			fs = append(fs, fail(where, remedy, "mode %04o: everyone can read it", mode))
		case mode&0o040 != 0:
			fs = append(fs, fail(where, remedy, "mode %04o: the group can read it", mode).severe(Medium))
		}
	}
	return orPass(fs, Place{File: s.Dir}, "%d files of mode 0600 or less", len(files))
}

func checkDataDir(s *Subject) []Answer {
	if s.Dir == "" {
		return unknown(noData)
	}
	info, err := s.FS.Stat(s.Dir)
	if err != nil {
		return unknown("%v", err)
	}
	var fs []Answer
	where := Place{File: info.Path}
	remedy := "chmod 0700 " + info.Path
	if info.Mode&sticky != 0 || strings.Count(info.Path, "/") < 2 {
		remedy = "a directory of its own: dir /var/lib/valkey" // not the system's, such as /tmp
	}
	switch mode := info.Perm(); {
	case mode&0o002 != 0:
		fs = append(fs, fail(where, remedy, "mode %04o: everyone can put files there", mode).severe(Critical))
	case mode&0o005 != 0:
		fs = append(fs, fail(where, remedy, "mode %04o: everyone can enter it", mode))
	case mode&0o020 != 0:
		fs = append(fs, fail(where, remedy, "mode %04o: the group can put files there", mode).severe(Medium))
	}
	// Who can write to a parent can put another directory in its place.
	for dir := path.Dir(info.Path); ; dir = path.Dir(dir) {
		if i, err := s.FS.Stat(dir); err == nil && i.Perm()&0o002 != 0 && i.Mode&sticky == 0 {
			fs = append(fs, fail(Place{File: dir}, "chmod o-w "+dir, "a parent of the data directory, mode %04o: everyone can put another in its place", i.Perm()))
		}
		if dir == "/" {
			break
		}
	}
	return orPass(fs, where, "mode %04o", info.Perm())
}

// POSIX access control lists as extended attributes: a header of 4 bytes, then
// entries of tag, permissions and id (include/uapi/linux/posix_acl_xattr.h).
const (
	aclXattr     = "system.posix_acl_access"
	aclDefault   = "system.posix_acl_default" // what is created in a directory gets it
	aclUser      = 0x02
	aclGroup     = 0x08
	aclMask      = 0x10
	aclHeader    = 4
	aclEntrySize = 8
	aclReadWrite = 4 | 2
)

// namedReaders counts the users and groups that an access control list names and
// lets read or write.
func namedReaders(xattr []byte) int {
	mask, n := uint16(7), 0
	for pass := range 2 {
		for b := xattr[min(aclHeader, len(xattr)):]; len(b) >= aclEntrySize; b = b[aclEntrySize:] {
			tag, perm := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
			switch {
			case pass == 0 && tag == aclMask:
				mask = perm
			case pass == 1 && (tag == aclUser || tag == aclGroup) && perm&mask&aclReadWrite != 0:
				n++
			}
		}
	}
	return n
}

func checkDataACL(s *Subject) []Answer {
	files, answer := s.dataFiles()
	if answer != nil {
		return answer
	}
	var fs []Answer
	lists := []struct{ name, xattr string }{{s.Dir, aclXattr}, {s.Dir, aclDefault}}
	for _, f := range files {
		lists = append(lists, struct{ name, xattr string }{f.Path, aclXattr})
	}
	for _, l := range lists {
		name := l.name
		x, err := s.FS.Getxattr(name, l.xattr)
		switch {
		case err == nil:
			if n := namedReaders(x); n > 0 {
				fs = append(fs, fail(Place{File: name}, "setfacl -b "+name, "an access control list lets %d more users or groups in", n))
			}
		case !errors.Is(err, syscall.ENODATA) && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.ENOTSUP):
			return unknown("access control lists cannot be read: %v", plainError(err))
		}
	}
	return orPass(fs, Place{File: s.Dir}, "none on the directory and %d files", len(files))
}

func checkDataOwner(s *Subject) []Answer {
	files, answer := s.dataFiles()
	if answer != nil {
		return answer
	}
	if s.Unit == nil {
		return unknown("no unit tells as which user the server runs")
	}
	name, _ := s.Unit.Get("User")
	uid, ok := s.host.users[name]
	if !ok {
		return unknown("the unit's user is not in /etc/passwd")
	}
	var fs []Answer
	for _, f := range files {
		if uint32(f.UID) != uid {
			fs = append(fs, fail(Place{File: f.Path}, "chown "+name+" "+f.Path, "owned by user id %d, the server runs as %d", f.UID, uid))
		}
	}
	return orPass(fs, Place{File: s.Dir}, "owned by %s", name)
}

func checkDataLinks(s *Subject) []Answer {
	if s.Data == nil {
		_, a := s.dataFiles()
		return a
	}
	var fs []Answer
	for _, f := range s.Data.Files {
		switch where := (Place{File: f.Path}); {
		case f.Target != "" && isData(f.Path):
			fs = append(fs, fail(where, "the file itself", "a symbolic link"))
		case f.Links > 1 && f.Mode.IsRegular() && (f.Kind == source.RDB || f.Kind == source.AOF):
			fs = append(fs, fail(where, "one name only", "%d names: another one may be readable, or keep the data when this one is deleted", f.Links))
		}
	}
	return orPass(fs, Place{File: s.Dir}, "no links")
}

func checkEncryption(s *Subject) []Answer {
	if s.Dir == "" {
		return unknown(noData)
	}
	if s.Server != nil && !s.Server.Persists() && s.Data != nil {
		if _, a := s.dataFiles(); a != nil && a[0].Status == NA {
			return na("nothing is saved")
		}
	}
	e := encryptedAt(s.FS, s.host.mounts, s.Dir)
	switch {
	case !e.known:
		return unknown("%s", e.why)
	case !e.encrypted:
		return []Answer{fail(Place{File: s.Dir}, "a LUKS volume for the data directory", "%s", e.why)}
	}
	return pass(Place{File: s.Dir}, "%s", e.why)
}

func checkSwap(s *Subject) []Answer {
	text, err := s.FS.ReadFile("/proc/swaps", maxText)
	if err != nil {
		return unknown("/proc/swaps does not tell: only a running host does")
	}
	var fs []Answer
	where := Place{File: "/proc/swaps"}
	n := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] == "Filename" {
			continue
		}
		n++
		switch name := unoctal(f[0]); {
		case strings.Contains(name, "/zram"):
		case f[1] == "partition":
			e := s.encryptedBlock(name)
			if !e.known {
				return unknown("%s", e.why)
			}
			if !e.encrypted {
				fs = append(fs, fail(where, "swapoff "+name+", or swap on dm-crypt", "swap on %s is not encrypted", name))
			}
		default:
			if e := encryptedAt(s.FS, s.host.mounts, name); !e.known {
				return unknown("%s", e.why)
			} else if !e.encrypted {
				fs = append(fs, fail(where, "swapoff "+name+", or swap on dm-crypt", "the swap file is not on encrypted storage"))
			}
		}
	}
	if n == 0 {
		return pass(where, "no swap")
	}
	return orPass(fs, where, "%d swap areas, encrypted or in memory", n)
}

// encryptedBlock looks up a device by its name in /sys/class/block.
func (s *Subject) encryptedBlock(name string) encryption {
	resolved, err := s.FS.Resolve(name)
	if err != nil {
		return encryption{why: "what device the swap is on is not known"}
	}
	number, err := s.FS.ReadFile("/sys/class/block/"+path.Base(resolved)+"/dev", 64)
	if err != nil {
		return encryption{why: "/sys does not tell what device the swap is on"}
	}
	return encryptedDevice(s.FS, strings.TrimSpace(string(number)), 0)
}

func checkCores(s *Subject) []Answer {
	var fs []Answer
	if s.Data != nil {
		for _, f := range s.Data.Files {
			if base := path.Base(f.Path); base == "core" || strings.HasPrefix(base, "core.") {
				fs = append(fs, fail(Place{File: f.Path}, "delete it", "a core dump: the memory of the server, unencrypted").severe(High))
			}
		}
	}
	if len(fs) > 0 {
		return fs
	}
	if s.Unit != nil {
		if v, where := s.Unit.Get("LimitCORE"); v == "0" {
			return pass(where, "LimitCORE=0")
		}
	}
	pattern, err := s.FS.ReadFile("/proc/sys/kernel/core_pattern", 4096)
	if err != nil {
		return unknown("neither LimitCORE of a unit nor /proc/sys/kernel/core_pattern tells")
	}
	switch text := strings.TrimSpace(string(pattern)); {
	case text == "|/bin/false" || text == "/dev/null" || text == "":
		return pass(Place{File: "/proc/sys/kernel/core_pattern"}, "core dumps go nowhere")
	case s.Unit == nil:
		return unknown("whether the server may dump core depends on its limits; core_pattern would keep it")
	}
	return []Answer{fail(Place{File: s.Unit.File}, "LimitCORE=0", "the unit does not set LimitCORE, and core dumps are kept")}
}

func checkTemps(s *Subject) []Answer {
	if s.Data == nil {
		_, a := s.dataFiles()
		return a
	}
	var fs []Answer
	for _, f := range s.Data.Files {
		if f.Role == source.Temporary {
			fs = append(fs, fail(Place{File: f.Path}, "delete it if no save is under way", "left by a save or rewrite that did not finish: a copy of the data"))
		}
	}
	return orPass(fs, Place{File: s.Dir}, "none")
}

func checkCopies(s *Subject) []Answer {
	files, answer := s.dataFiles()
	if answer != nil {
		return answer
	}
	expected := map[string]bool{}
	if s.Server != nil {
		expected[s.Server.Conf.Get("dbfilename").Text] = true
		expected[s.Server.Conf.Get("appendfilename").Text] = true
	} else {
		expected["dump.rdb"], expected["appendonly.aof"] = true, true
	}
	var fs []Answer
	for _, f := range files {
		if f.Role != source.NoRole && f.Role != source.Orphan || f.Kind == source.Manifest || f.Kind == source.ACL || expected[path.Base(f.Path)] && len(f.Layers) == 0 {
			continue
		}
		sealed := false
		for _, l := range f.Layers {
			sealed = sealed || l == "age"
		}
		if !sealed {
			fs = append(fs, fail(Place{File: f.Path}, "valkeyfs encrypt "+f.Path+" -r RECIPIENT", "a %s that the server does not use: an unsealed copy", f.Kind))
		}
	}
	return orPass(fs, Place{File: s.Dir}, "none")
}

func checkLeftover(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	if s.Server.Persists() {
		return na("the server saves its data")
	}
	files, answer := s.dataFiles()
	if answer != nil {
		if answer[0].Status == NA {
			return pass(Place{File: s.Dir}, "nothing is saved, and no data lie there")
		}
		return answer
	}
	return []Answer{fail(Place{File: files[0].Path}, "delete what is not needed", "nothing is to be saved, but %d data files lie there", len(files))}
}

func checkUnitUser(s *Subject) []Answer {
	switch {
	case s.Unit != nil:
		return unitUser(s.Unit)
	case s.Container != nil:
		if s.Container.Kind == "compose" && !s.Container.NonRoot {
			return unknown("no user is set; the official images leave root by themselves unless another entrypoint is set")
		}
		if !s.Container.NonRoot {
			return []Answer{fail(s.Container.Place, "runAsNonRoot: true", "the container may run as root")}
		}
		return pass(s.Container.Place, "not root")
	}
	return unknown("no unit or manifest that starts the server was found")
}

func unitUser(u *Unit) []Answer {
	var fs []Answer
	user, where := u.Get("User")
	if (user == "" || user == "root" || user == "0") && !u.Dynamic() {
		fs = append(fs, fail(where, "User=valkey", "the unit runs the server as root"))
	}
	umask, where := u.Get("UMask")
	bits, err := strconv.ParseUint(orWord(umask, "0022"), 8, 16) // systemd.exec(5)
	switch {
	case err != nil:
		return append(fs, unknown("UMask cannot be understood")...)
	case bits&0o007 != 0o007:
		fs = append(fs, fail(where, "UMask=0077", "UMask=%04o: everyone can read what the server writes anew (CONFIG REWRITE and ACL SAVE go by it)", bits))
	case bits&0o070 != 0o070:
		fs = append(fs, fail(where, "UMask=0077", "UMask=%04o: the group can read what the server writes anew", bits).severe(Low))
	}
	return orPass(fs, where, "User=%s, UMask=0077", orWord(user, "(dynamic)"))
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

func checkUnitSandbox(s *Subject) []Answer {
	if s.Container != nil && s.Unit == nil {
		if s.Container.ReadOnlyRoot {
			return pass(s.Container.Place, "a read-only root file system")
		}
		remedy := "readOnlyRootFilesystem: true"
		if s.Container.Kind == "compose" {
			remedy = "read_only: true"
		}
		return []Answer{fail(s.Container.Place, remedy, "the container's root file system is writable")}
	}
	if s.Unit == nil {
		return unknown("no unit that starts the server was found")
	}
	var fs []Answer
	where := Place{File: s.Unit.File}
	dynamic := s.Unit.Dynamic()
	if !dynamic && !s.Unit.Bool("NoNewPrivileges") {
		fs = append(fs, fail(where, "NoNewPrivileges=yes", "NoNewPrivileges is not set"))
	}
	if v, at := s.Unit.Get("ProtectSystem"); v != "strict" && !dynamic {
		fs = append(fs, fail(at, "ProtectSystem=strict", "ProtectSystem=%s", orWord(v, "no")))
	}
	named := false
	for _, key := range []string{"ReadWritePaths", "ReadWriteDirectories", "StateDirectory"} {
		v, _ := s.Unit.Get(key)
		named = named || v != ""
	}
	if !named {
		fs = append(fs, fail(where, "ReadWritePaths="+orWord(s.Dir, "/var/lib/valkey"), "nothing names what the server may write"))
	}
	return orPass(fs, where, "NoNewPrivileges, ProtectSystem=strict")
}

func checkSyncFiles(s *Subject) []Answer {
	if s.Server == nil {
		return unknown(noConf)
	}
	v := s.Server.Conf.Get("rdb-del-sync-files")
	if s.Server.Persists() {
		return na("the server saves its data")
	}
	if v.Bool() {
		return pass(at(v), "rdb-del-sync-files yes")
	}
	return []Answer{fail(at(v), "rdb-del-sync-files yes", "nothing is to be saved, but snapshots that replication writes stay")}
}
