package audit

import (
	"context"
	"path"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// usualPlaces are where distributions keep the configuration.
var usualPlaces = []string{"/etc/valkey", "/etc/redis", "/etc/valkey.conf", "/etc/redis.conf", "/usr/local/etc/valkey", "/usr/local/etc/redis"}

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
