package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Data is what lies in a data directory, and what of its content matters here.
type Data struct {
	Dir   string
	Files []DataFile

	Foreign   []Sighting // commands that no server logs
	Flushes   []Sighting
	Functions []Function
	Shaped    []Sighting // values made to be read as another kind of file
	Backwards []Sighting // times of a log that go back
	Checksums []Sighting // snapshots whose checksum fails
	Unchecked []Sighting // snapshots without a checksum
	More      int        // sightings that are not kept
	Damages   int
	Lost      int // what could not be read or understood, so that not all of the content is known
	Manifest  bool
	Big       bigKeys // by their elements
	Heavy     bigKeys // by their bytes
	// Aux are the aux fields of snapshots, by file: see auxKept.
	Aux map[string]map[string]string
	// Immutable are the keys that the policy covers; nil: there is no policy.
	Immutable *immutables
}

// DataFile is a file of a data directory.
type DataFile struct {
	Path   string // the host's
	Kind   source.Kind
	Role   source.Role
	Layers []string
	Mode   fs.FileMode
	UID    int
	Links  uint64
	Target string // of a symbolic link
	Unread bool   // it could not be opened, or is not what its name says
}

// Sighting is something at a place in a data file.
type Sighting struct {
	File   string
	Offset int64
	What   string
	Time   time.Time // zero: the file does not say
}

// Function is a function library.
type Function struct {
	Sighting
	SHA256 string
	Calls  []string // slow commands that its code names
}

type bigKeys struct {
	count int   // keys over the limit
	most  int64 // what the largest has
	at    Sighting
}

func (b *bigKeys) see(r *dataReader, e *keyspace.Event, n, limit int64) {
	if n <= limit {
		return
	}
	b.count++
	if n > b.most {
		b.most, b.at = n, r.sighting(e, "")
	}
}

const (
	maxSightings = 50
	bigElements  = 1_000_000
	bigBytes     = 64 << 20 // of a key's fields and values
	// maxShape is how much of a value is looked at for its shape.
	maxShape = 8 << 10
)

func (d *Data) add(list *[]Sighting, s Sighting) {
	if len(*list) < maxSightings {
		*list = append(*list, s)
	} else {
		d.More++
	}
}

// inputs opens a data directory. The caller closes it.
func inputs(ctx context.Context, host *hostfs.FS, dir string) (*source.Inputs, error) {
	name, err := host.HostPath(dir)
	if err != nil {
		return nil, err
	}
	return source.New(ctx, []string{name}, source.Options{})
}

// serverOf returns what the snapshots of a directory say of the server that
// wrote them, as "valkey 8.1.1"; "" if they do not.
func serverOf(ctx context.Context, host *hostfs.FS, dir string) string {
	in, err := inputs(ctx, host, dir)
	if err != nil {
		return ""
	}
	defer in.Close()
	survey, err := in.Survey(ctx, time.Second)
	if err != nil {
		return ""
	}
	for _, s := range survey.Snapshots {
		if s.Server != "" && s.Version != "" {
			return s.Server + " " + s.Version
		}
	}
	return ""
}

// readData lists a data directory and, unless they are to be left out, reads its
// data.
func readData(ctx context.Context, host *hostfs.FS, dir string, o *Options) (*Data, error) {
	in, err := inputs(ctx, host, dir)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	d := &Data{Dir: dir, Aux: map[string]map[string]string{}}
	if o.Policy != nil {
		d.Immutable = newImmutables(o.Policy, o.salt())
	}
	for u, err := range in.Units(ctx) {
		if err != nil {
			return nil, err
		}
		for _, f := range u.Files {
			d.Files = append(d.Files, DataFile{host.FromHost(f.Path), f.Kind, f.Role, f.Layers, f.Mode, f.UID, f.Links, f.Target, f.Err != nil})
			if f.Err != nil {
				d.Damages++
				d.Lost++
			}
			d.Manifest = d.Manifest || f.Kind == source.Manifest
		}
		kind := u.Kind()
		if !o.SkipData && u.Readable() && (kind == source.RDB || kind == source.AOF || kind == source.Manifest) {
			if err := d.read(ctx, host, u); err != nil {
				return nil, err
			}
		}
		if err := u.Close(ctx); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Data) read(ctx context.Context, host *hostfs.FS, u *source.Unit) error {
	r := &dataReader{d: d, host: host}
	for e, err := range u.Events(ctx) {
		if err != nil {
			return err
		}
		r.event(e)
	}
	return nil
}

type dataReader struct {
	d    *Data
	host *hostfs.FS
	resp bool // the file at hand is RESP
	last int64
	// bytes are those of the key at hand.
	bytes int64
}

func (r *dataReader) sighting(e *keyspace.Event, what string, args ...any) Sighting {
	s := Sighting{File: r.host.FromHost(e.Pos.Source), Offset: e.Pos.Offset, What: fmt.Sprintf(what, args...)}
	if e.Time > 0 {
		s.Time = time.UnixMilli(e.Time).UTC()
	}
	return s
}

func (r *dataReader) event(e *keyspace.Event) {
	d := r.d
	if m := d.Immutable; m != nil && !r.resp {
		m.snapshot(e)
	} else if m != nil {
		if what := m.log(e); what != "" {
			d.add(&m.Changes, r.sighting(e, "%s", what))
		}
	}
	switch e.Kind {
	case keyspace.Header:
		r.resp = string(e.Value) == "RESP"
	case keyspace.Aux:
		if key := string(e.Key); slices.Contains(auxKept, key) {
			file := r.host.FromHost(e.Pos.Source)
			if d.Aux[file] == nil {
				d.Aux[file] = map[string]string{}
			}
			d.Aux[file][key] = string(e.Value[:min(len(e.Value), 64)])
		}
	case keyspace.Function:
		sum := sha256.Sum256(e.Value)
		if len(d.Functions) < maxSightings {
			d.Functions = append(d.Functions, Function{r.sighting(e, "function library"), hex.EncodeToString(sum[:]), slowCalls(e.Value)})
		} else {
			d.More++
		}
	case keyspace.Command:
		r.command(e)
	case keyspace.Flush:
		if r.resp {
			what := "FLUSHDB"
			if e.DB < 0 {
				what = "FLUSHALL"
			}
			d.add(&d.Flushes, r.sighting(e, "%s", what))
		}
	case keyspace.Key:
		r.bytes = 0
	case keyspace.Element:
		r.bytes += int64(len(e.Field) + len(e.Value))
		if e.Type == keyspace.String && (e.Part == keyspace.Whole || e.Part == keyspace.First) {
			if shape := shapeOf(e.Value); shape != "" {
				d.add(&d.Shaped, r.sighting(e, "a value shaped as %s, database %d", shape, e.DB))
			}
		}
	case keyspace.KeyEnd:
		d.Big.see(r, e, e.Index, bigElements)
		d.Heavy.see(r, e, r.bytes, bigBytes)
		r.bytes = 0
	case keyspace.Damage:
		d.Damages++
		if errors.Is(e.Err, keyspace.ErrChecksum) {
			d.add(&d.Checksums, r.sighting(e, "the checksum fails"))
		} else {
			d.Lost++
		}
	case keyspace.End:
		if !r.resp && keyspace.Checksum(e.Index) == keyspace.ChecksumDisabled {
			d.add(&d.Unchecked, r.sighting(e, "no checksum"))
		}
	}
}

// command looks at a command of a log: what no server writes there was put there
// by something else, and what no command is cannot have been run. EVAL and
// EVALSHA were logged before 7.0.
func (r *dataReader) command(e *keyspace.Event) {
	d := r.d
	if e.Time > 0 {
		if e.Time < r.last {
			d.add(&d.Backwards, r.sighting(e, "the time goes back by %v", time.Duration(r.last-e.Time)*time.Millisecond))
		}
		r.last = e.Time
	}
	if len(e.Args) == 0 {
		return
	}
	spec, ok := aof.LookupCommand(e.Args[0])
	name := strings.ToUpper(printable(e.Args[0]))
	foreign := !ok
	if ok {
		if spec.Subcommands != nil && len(e.Args) > 1 {
			sub, found := spec.Subcommand(e.Args[1])
			foreign = spec.Flags&aof.NeverLogged != 0 || !found || sub.Flags&aof.NeverLogged != 0
			if found {
				name = spec.Name + " " + sub.Name
			}
		} else {
			foreign = spec.Flags&aof.NeverLogged != 0
		}
		if (spec.Name == "EVAL" || spec.Name == "EVALSHA") && !d.Manifest {
			foreign = false
		}
	} else {
		name = "an unknown command"
	}
	if foreign {
		d.add(&d.Foreign, r.sighting(e, "%s", name))
	}
}

func printable(b []byte) string {
	if len(b) > 32 {
		b = b[:32]
	}
	return string(bytes.Map(func(r rune) rune {
		if r < 'A' || r > 'z' {
			return '?'
		}
		return r
	}, b))
}

var slowCall = regexp.MustCompile(`(?i)\b(?:call|pcall)\s*\(\s*['"](keys|flushall|flushdb)['"]`)

// slowCalls returns the slow commands that a script's code calls.
func slowCalls(code []byte) []string {
	var names []string
	for _, m := range slowCall.FindAllSubmatch(code, 10) {
		names = append(names, strings.ToUpper(string(m[1])))
	}
	return names
}

var (
	cronLine = regexp.MustCompile(`(?:^|\n)\s*(?:@(?:reboot|hourly|daily|weekly|monthly)|(?:[*0-9][0-9*/,-]*\s+){4}[*0-9][0-9*/,-]*)[ \t]+[^\n]*(?:/|curl|wget|bash|sh |python|perl|nc )`)
	sshKey   = regexp.MustCompile(`(?:^|\n)\s*(?:[a-z-]+="[^"\n]*" )?(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-nistp(?:256|384|521)) AAAA`)
	webShell = regexp.MustCompile(`(?i)<\?php\b[\s\S]*?(?:eval|system|exec|passthru|shell_exec|assert)\s*\(|<%@?\s*page\b[\s\S]*?Runtime|<%\s*eval\s+request`)
	shebang  = regexp.MustCompile(`^\s*#!\s*/(?:usr/)?bin/`)
)

// shapeOf says what a value would be to a program that finds it in a file of its
// own: a snapshot written into the place of such a file is how servers are taken
// over. "" if it is none of these.
func shapeOf(v []byte) string {
	if len(v) < 16 {
		return ""
	}
	if len(v) > maxShape {
		v = v[:maxShape]
	}
	switch {
	case bytes.HasPrefix(v, []byte("\x7fELF")):
		return "a program or shared object (ELF)"
	case bytes.Contains(v, []byte("AAAA")) && sshKey.Match(v):
		return "an SSH key in authorized_keys"
	case (bytes.IndexByte(v, '*') >= 0 || bytes.IndexByte(v, '@') >= 0) && cronLine.Match(v):
		return "a crontab"
	case bytes.Contains(v, []byte("<?")) && webShell.Match(v) || bytes.Contains(v, []byte("<%")) && webShell.Match(v):
		return "a web page that runs commands"
	case shebang.Match(v) && bytes.IndexByte(v, '\n') > 0:
		return "a script"
	}
	return ""
}

// takeover says what kind of place a directory and a file name are, if a
// snapshot written there is run or trusted by something else; "" otherwise.
func takeover(dir, file string) string {
	full := path.Join("/", dir, file)
	switch {
	case strings.Contains(full+"/", "/cron"): // /etc/cron.d, /var/spool/cron
		return "where cron reads"
	case strings.Contains(full, "/.ssh/") || path.Base(full) == "authorized_keys":
		return "where sshd reads"
	case strings.HasPrefix(full, "/var/www/") || strings.HasPrefix(full, "/srv/http/") || strings.HasPrefix(full, "/usr/share/nginx/"):
		return "where a web server reads"
	case strings.HasPrefix(full, "/etc/systemd/") || strings.HasPrefix(full, "/etc/profile.d/") || strings.HasPrefix(full, "/etc/ld.so") || strings.HasPrefix(full, "/etc/sudoers") || strings.HasPrefix(full, "/etc/pam.d/") || strings.HasPrefix(full, "/etc/init.d/"):
		return "where the system reads its configuration"
	case strings.HasSuffix(file, ".so") || strings.HasSuffix(file, ".php") || strings.HasSuffix(file, ".jsp") || strings.HasSuffix(file, ".sh"):
		return "the name of a program"
	case file == "root" || file == "crontab" || file == ".bashrc" || file == ".profile":
		return "a name that a program runs"
	}
	return ""
}
