package audit

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Options say how servers are judged.
type Options struct {
	// Version is the servers' version; zero: what the files say, else the newest
	// that is known.
	Version conf.Version
	// Now is when certificates and waivers are judged; zero: they are not.
	Now time.Time
	// SkipData leaves the content of snapshots and logs unread.
	SkipData bool
	// Functions are the SHA-256 of function libraries that are meant to be there.
	Functions []string
	// Profiles say what the servers are for; none: what the files say.
	Profiles []Profile
	// Waivers accept failures.
	Waivers []Waiver
	// MinSeverity leaves out failures below it.
	MinSeverity scan.Severity
	// Baseline is what was read when all was well; nil: there is none.
	Baseline *Baseline
	// Policy says which keys are never to change; nil: none does.
	Policy *Policy
	// Salt keys the digests of a new baseline; those of Baseline are compared by
	// its own.
	Salt []byte
	// Backups is where sealed backups lie; "": not known.
	Backups string
	// Live is a running server, which is judged, too, and compared with the files.
	Live *Live
}

// Report is what came of it.
type Report struct {
	Servers  []*Subject
	Files    []conf.File // that were read, with their hashes
	Results  []Result    // by server, then as the catalogue has them
	Counts   map[Status]int
	Assumed  []string // what was taken for granted, and for which server
	Problems []conf.Problem
	// Incomplete says that something could not be read that counts.
	Incomplete bool
}

// usualPlaces are where distributions keep the configuration.
var usualPlaces = []string{"/etc/valkey", "/etc/redis", "/etc/valkey.conf", "/etc/redis.conf", "/usr/local/etc/valkey", "/usr/local/etc/redis"}

// ErrNothing says that no server was found.
var ErrNothing = errors.New("no configuration, manifest or data directory of a server was found")

// Run finds the servers that lie at paths (none: in the usual places) and judges
// each by every check. The error is the context's, or for a path that is not
// there.
func Run(ctx context.Context, fs *hostfs.FS, paths []string, o *Options) (*Report, error) {
	f := &finder{ctx: ctx, fs: fs, o: o}
	if err := f.find(paths); err != nil {
		return nil, err
	}
	for _, s := range f.subjects {
		s.readData(ctx)
		s.peers = s.readPeers()
		if o.Backups != "" {
			s.Backups = readBackups(ctx, fs, o.Backups, s.Dir)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	pair(f.subjects)
	r := &Report{Servers: f.subjects, Counts: map[Status]int{}, Assumed: f.assumed}
	for _, s := range f.subjects {
		r.readFrom(s)
		r.judge(s)
	}
	return r, nil
}

// find finds the servers.
func (f *finder) find(paths []string) error {
	if len(paths) == 0 && f.o.Live == nil {
		for _, p := range usualPlaces {
			if _, err := f.fs.Stat(p); err == nil {
				paths = append(paths, p)
			}
		}
		f.homes()
	}
	for _, p := range paths {
		if err := f.path(p); err != nil {
			return err
		}
	}
	if err := f.servers(); err != nil {
		return err
	}
	if f.o.Live != nil {
		f.live()
	}
	if len(f.subjects) == 0 {
		return ErrNothing
	}
	return nil
}

// readFrom notes what was read of a server, and what could not be.
func (r *Report) readFrom(s *Subject) {
	r.Incomplete = r.Incomplete || s.DataError != nil || s.Data != nil && s.Data.Damages > 0
	if s.Server == nil {
		return
	}
	r.Files = append(r.Files, s.Server.Conf.Files...)
	if s.Server.ACLFile != "" && s.Server.Users.SHA256 != "" {
		r.Files = append(r.Files, conf.File{Path: s.Server.ACLFile, SHA256: s.Server.Users.SHA256})
	}
	r.Problems = append(r.Problems, s.Server.Problems...)
	for _, p := range s.Server.Problems {
		r.Incomplete = r.Incomplete || !p.Fatal
	}
}

// judge answers every check for a server.
func (r *Report) judge(s *Subject) {
	for _, c := range Catalogue() {
		for _, a := range s.answer(c) {
			res := Result{Check: c, Server: s.Name, Answer: a}
			if res.Status == Fail && !res.rated {
				res.Severity = c.Severity
			}
			if w := s.Options.waiver(&res); w != nil {
				res.Status, res.Waiver = Waived, w.Reason
			}
			if res.Status == Fail && res.Severity < s.Options.MinSeverity {
				continue
			}
			r.Counts[res.Status]++
			r.Results = append(r.Results, res)
		}
	}
}

func (s *Subject) answer(c *Check) []Answer {
	if why := s.Options.leftOut(c); why != "" {
		return na("%s", why)
	}
	if c.run == nil {
		return unknown("%s", c.Standing)
	}
	answers := c.run(s)
	if len(answers) == 0 {
		return unknown("the check has nothing to say")
	}
	return answers
}

// finder looks for servers.
type finder struct {
	ctx        context.Context
	fs         *hostfs.FS
	o          *Options
	confs      []string
	units      []*Unit
	containers []*Container
	maps       []ConfigMap // that hold a server's configuration
	texts      []ConfigMap // all
	dataDirs   []string
	clients    []clientSetting
	monitoring monitoring
	policies   []networkPolicy
	entries    int
	host       *host
	subjects   []*Subject
	assumed    []string
}

const (
	maxWalk      = 50_000 // entries of directories that are looked at
	maxWalkDepth = 8
	maxHomes     = 1000 // homes whose histories are looked at
)

func (f *finder) path(name string) error {
	info, err := f.fs.Stat(name)
	switch {
	case err != nil:
		return err
	case info.Mode.IsDir():
		f.units = append(f.units, findUnits(f.fs, name)...)
		f.dir(name, 0)
	default:
		f.file(name, true)
	}
	return nil
}

// homes looks at what was typed on the host.
func (f *finder) homes() {
	for _, home := range []string{"/root", "/home/*"} {
		for _, name := range histories {
			found, _ := f.fs.Glob(path.Join(home, name), maxHomes)
			more, _ := f.fs.Glob(path.Join(home, ".local/share/fish", name), maxHomes)
			for _, h := range append(found, more...) {
				f.clients = append(f.clients, readClients(f.fs, h)...)
			}
		}
	}
}

func (f *finder) dir(dir string, depth int) {
	names, _ := f.fs.ReadDir(dir)
	data := false
	for _, n := range names {
		if f.entries++; f.entries > maxWalk || f.ctx.Err() != nil {
			return
		}
		name := path.Join(dir, n)
		info, err := f.fs.Lstat(name)
		switch {
		case err != nil:
		case info.Mode.IsDir() && depth < maxWalkDepth:
			f.dir(name, depth+1)
		case info.Mode.IsRegular():
			f.file(name, false)
			data = data || isData(n)
		}
	}
	if data && path.Base(dir) != "appendonlydir" {
		f.dataDirs = append(f.dataDirs, dir)
	}
}

// isData reports whether a name is that of a snapshot, a log or a manifest.
func isData(name string) bool {
	for _, suffix := range []string{".rdb", ".aof", ".manifest"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

func (f *finder) file(name string, named bool) {
	switch ext := path.Ext(name); {
	case ext == ".service":
		if u := readUnit(f.fs, name); u != nil {
			f.units = append(f.units, u)
		}
	case ext == ".yml" || ext == ".yaml":
		f.containers = append(f.containers, readContainers(f.fs, name)...)
		for _, m := range readConfigMaps(f.fs, name) {
			if f.texts = append(f.texts, m); serverConf(m.Key, m.Text) {
				f.maps = append(f.maps, m)
			}
		}
		f.clients = append(f.clients, readClients(f.fs, name)...)
		f.policies = append(f.policies, readNetworkPolicies(f.fs, name)...)
		f.monitoring.read(f.fs, name)
	case strings.HasPrefix(path.Base(name), ".env") || ext == ".env" || isHistory(name):
		f.clients = append(f.clients, readClients(f.fs, name)...)
	case named && isData(name):
		f.dataDirs = append(f.dataDirs, path.Dir(name))
	case named || ext == ".conf" && looksLikeConf(f.fs, name):
		f.confs = append(f.confs, name)
	}
}

// looksLikeConf reports whether a file is a server's configuration: some of its
// directives are ones that servers know, and few are not.
func looksLikeConf(fs *hostfs.FS, name string) bool {
	text, err := fs.ReadFile(name, maxText)
	return (err == nil || len(text) > 0) && serverConf(name, string(text))
}

func serverConf(name, text string) bool {
	known, others := 0, 0
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if conf.Known(words[0]) {
			known++
		} else {
			others++
		}
	}
	base := path.Base(name)
	if strings.HasPrefix(base, "valkey") || strings.HasPrefix(base, "redis") || strings.HasPrefix(base, "sentinel") {
		return known > others
	}
	return known >= 2 && others*4 <= known
}

// servers makes a subject of each configuration, of each container that has one
// of its own, and of each data directory that belongs to none.
func (f *finder) servers() error {
	f.host = readHost(f.fs)
	f.host.clients, f.host.monitoring, f.host.policies = f.clients, &f.monitoring, f.policies
	f.host.monitoring.units(f.fs)
	f.containers = expose(f.containers)
	f.units = append(f.units, findUnits(f.fs, unitDirs...)...)
	for _, add := range []func() error{f.ofConfs, f.ofMaps, f.ofContainers} {
		if err := add(); err != nil {
			return err
		}
	}
	f.ofDirs()
	f.host.subjects = f.subjects
	return nil
}

func (f *finder) subject(name string) *Subject {
	return &Subject{FS: f.fs, Name: name, Now: f.o.Now, Options: f.o, host: f.host}
}

// add reads a subject's configuration and keeps it.
func (f *finder) add(s *Subject) error {
	f.subjects = append(f.subjects, s)
	return f.read(s)
}

// ofConfs adds the configuration files that no other one includes.
func (f *finder) ofConfs() error {
	slices.Sort(f.confs)
	for _, name := range slices.Compact(f.confs) {
		s := f.subject(name)
		s.Unit, s.Container = f.unit(name), f.container(name)
		if err := f.add(s); err != nil {
			return err
		}
	}
	confs := slices.Clone(f.subjects)
	f.subjects = slices.DeleteFunc(f.subjects, func(s *Subject) bool {
		return slices.ContainsFunc(confs, func(o *Subject) bool {
			// Of files that include each other, the first stands for the server.
			return o != s && o.includes(s) && (!s.includes(o) || o.Name < s.Name)
		})
	})
	return nil
}

// ofMaps adds the configurations that stand in ConfigMaps.
func (f *finder) ofMaps() error {
	for i := range f.maps {
		m := &f.maps[i]
		s := f.subject(m.File + "#" + m.Key)
		s.configMap = m
		for _, c := range f.containers {
			if c.File == m.File && c.Kind != "Service" {
				s.Container = c
			}
		}
		if err := f.add(s); err != nil {
			return err
		}
	}
	return nil
}

// ofContainers adds the containers whose configuration was not among the files.
func (f *finder) ofContainers() error {
	for _, c := range f.containers {
		if slices.ContainsFunc(f.subjects, func(s *Subject) bool { return s.Container == c }) {
			continue
		}
		s := f.subject(c.ID())
		s.Container = c
		if c.Kind == "Service" { // what it leads to is not known
			f.subjects = append(f.subjects, s)
			continue
		}
		if err := f.add(s); err != nil {
			return err
		}
	}
	return nil
}

// ofDirs adds the data directories that are no server's so far.
func (f *finder) ofDirs() {
	for _, dir := range f.dataDirs {
		if slices.ContainsFunc(f.subjects, func(s *Subject) bool { return s.Dir == dir }) {
			continue
		}
		// A lone configuration beside whose data directory nothing is known.
		if len(f.subjects) == 1 && f.subjects[0].Dir == "" {
			f.subjects[0].Dir = dir
			continue
		}
		s := f.subject(dir)
		s.Dir = dir
		f.subjects = append(f.subjects, s)
	}
}

// includes reports whether a configuration takes in another one.
func (s *Subject) includes(o *Subject) bool {
	return slices.ContainsFunc(s.Server.Conf.Files, func(f conf.File) bool { return f.Path == o.Name })
}

// live adds the running server, and has the files of a single one compared with it.
func (f *finder) live() {
	if len(f.subjects) == 1 && f.subjects[0].Server != nil {
		f.subjects[0].Live = f.o.Live
	}
	f.subjects = append(f.subjects, &Subject{FS: hostfs.Nothing(), Name: f.o.Live.Name(), Server: f.o.Live.server, Now: f.o.Now, Options: f.o, host: &host{}, Running: f.o.Live})
}

func (f *finder) unit(config string) *Unit {
	for _, u := range f.units {
		if u.Config == config {
			return u
		}
	}
	return nil
}

// container returns the container whose volumes bring it a configuration file.
func (f *finder) container(config string) *Container {
	for _, c := range f.containers {
		inside, _ := c.Server()
		for _, v := range c.Volumes {
			from, to, _ := strings.Cut(v, ":")
			to, _, _ = strings.Cut(to, ":")
			if inside == "" || to == "" {
				continue
			}
			if !path.IsAbs(from) {
				from = path.Join(path.Dir(c.File), from)
			}
			if from == config && inside == to || path.Join(from, strings.TrimPrefix(inside, to)) == config && strings.HasPrefix(inside, to) {
				return c
			}
		}
	}
	return nil
}

// read reads a subject's configuration, at first as the newest server would and
// then, if its data tell the version, as that one does.
func (f *finder) read(s *Subject) error {
	o := conf.Options{Version: f.o.Version}
	switch {
	case s.configMap != nil:
		o.Path, o.Text, o.TextLine = s.configMap.File, []byte(s.configMap.Text), s.configMap.Line
	case s.Container == nil || s.Name != s.Container.ID():
		o.Path = s.Name
	}
	if s.Unit != nil {
		o.Command, o.CommandAt, o.Cwd = s.Unit.Args, s.Unit.File, "/"
		if dir, _ := s.Unit.Get("WorkingDirectory"); path.IsAbs(dir) {
			o.Cwd = dir
		}
	}
	if s.Container != nil {
		o.Command = s.Container.options()
		o.CommandAt = s.Container.File
		o.Cwd = "/data" // WORKDIR of the official images
	}
	basis := "given"
	if o.Version == (conf.Version{}) {
		o.Version, basis = f.guess(s), "assumed: the newest that is known"
		if v, err := conf.ParseVersion(imageVersion(s.Container)); err == nil {
			o.Version, basis = v, "the image's tag"
		}
	}
	if v, ok := f.installed(o.Version.Valkey); ok && basis != "given" && s.Container == nil {
		o.Version, basis = v, "the package that is installed"
	}
	server, err := readServer(f.ctx, f.fs, o, f.inside(s))
	if err != nil {
		return err
	}
	if s.Container == nil {
		s.Dir = server.Conf.Dir
		if _, err := f.fs.Stat(s.Dir); s.Dir != "" && err != nil {
			s.Dir = ""
		}
		if _, ok := server.Conf.Last("dir"); !ok {
			s.Dir = "" // wherever it is started
		}
	}
	if basis != "given" && s.Dir != "" {
		if v, err := conf.ParseVersion(serverOf(f.ctx, f.fs, s.Dir)); err == nil {
			basis = "its snapshots"
			if v != o.Version {
				o.Version = v
				if server, err = readServer(f.ctx, f.fs, o, f.inside(s)); err != nil {
					return err
				}
			}
		}
	}
	server.Basis, server.Image = basis, s.Container != nil && s.Container.Image != ""
	s.Server = server
	if strings.HasPrefix(basis, "assumed") {
		f.assumed = append(f.assumed, s.Name+" is judged as "+o.Version.String())
	}
	return nil
}

// inside returns how a file is found that the server in a container opens, nil for
// a server that is in none: among the files of its ConfigMap, or on the host where
// a volume leads there.
func (f *finder) inside(s *Subject) locate {
	if s.Container == nil {
		return nil
	}
	return func(name string) (string, io.ReadCloser, error) {
		for _, m := range f.texts {
			if m.Key == path.Base(name) && s.configMap != nil && m.Object == s.configMap.Object && m.File == s.configMap.File {
				return m.File + "#" + m.Key, io.NopCloser(strings.NewReader(m.Text)), nil
			}
		}
		at := s.Container.outside(name)
		if at == "" {
			return name, nil, errInside
		}
		file, err := f.fs.Open(at)
		return at, file, err
	}
}

var errInside = errors.New("it lies inside the container")

// maxStatus bounds dpkg's list of packages.
const maxStatus = 32 << 20

// installed returns the version of the server's package, as dpkg has it.
func (f *finder) installed(valkey bool) (conf.Version, bool) {
	name := "redis"
	if valkey {
		name = "valkey"
	}
	text, err := f.fs.ReadFile("/var/lib/dpkg/status", maxStatus)
	if err != nil {
		return conf.Version{}, false
	}
	_, entry, ok := strings.Cut("\n"+string(text), "\nPackage: "+name+"-server\n")
	if !ok {
		return conf.Version{}, false
	}
	entry, _, _ = strings.Cut(entry, "\n\n")
	_, number, _ := strings.Cut(entry, "\nVersion: ")
	number = number[strings.IndexByte(number, ':')+1:] // an epoch
	number = number[:len(number)-len(strings.TrimLeft(number, "0123456789."))]
	v, err := conf.ParseVersion(name + "-" + number)
	return v, err == nil
}

func (f *finder) guess(s *Subject) conf.Version {
	valkey := strings.Contains(s.Name, "valkey") || s.Unit != nil && strings.Contains(s.Unit.Name, "valkey")
	if !valkey && strings.Contains(s.Name, "redis") || s.Container != nil && strings.Contains(s.Container.Image, "redis") {
		return conf.Version{Major: 8}
	}
	return conf.Newest
}

// imageVersion turns "valkey/valkey:8.1-alpine" into "valkey 8.1".
func imageVersion(c *Container) string {
	if c == nil {
		return ""
	}
	name, tag, _ := strings.Cut(c.Image[strings.LastIndexByte(c.Image, '/')+1:], ":")
	tag, _, _ = strings.Cut(tag, "-")
	tag, _, _ = strings.Cut(tag, "@")
	return name + " " + tag
}
