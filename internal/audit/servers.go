package audit

import (
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

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

// read reads a subject's configuration, at first as the version would that is known
// or guessed and then, if its data tell another, as that one does.
func (f *finder) read(s *Subject) error {
	o := f.confOptions(s)
	version, basis := f.version(s)
	o.Version = version
	server, err := readServer(f.ctx, f.fs, o, f.inside(s))
	if err != nil {
		return err
	}
	if s.Container == nil {
		s.Dir = f.dataDir(server)
	}
	if basis != basisGiven && s.Dir != "" {
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
	if basis == basisAssumed {
		f.assumed = append(f.assumed, s.Name+" is judged as "+o.Version.String())
	}
	return nil
}

// confOptions say where a subject's configuration stands and how its server is started.
func (f *finder) confOptions(s *Subject) conf.Options {
	var o conf.Options
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
	return o
}

// dataDir returns where a server outside containers keeps its data: "" if that is
// wherever it is started, or not there.
func (f *finder) dataDir(server *Server) string {
	if _, ok := server.Conf.Last("dir"); !ok {
		return ""
	}
	if _, err := f.fs.Stat(server.Conf.Dir); err != nil {
		return ""
	}
	return server.Conf.Dir
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
