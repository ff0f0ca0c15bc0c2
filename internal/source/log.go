package source

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// log yields the unit of one manifest alone, and its history files.
func (t *tree) log(manifest string) error {
	names, _, err := t.list(".", 0)
	if err != nil {
		return t.in.unopened(t.input, err, t.yield)
	}
	return t.compose(".", manifest, names, map[string]bool{})
}

// compose yields the log that a manifest names: the manifest, the base file and
// the incr files as one unit, each history file as one of its own. The names it
// used are noted in claimed; a file that another manifest has claimed is left to
// that one.
func (t *tree) compose(rel, manifest string, names []string, claimed map[string]bool) error {
	mf := t.entry(path.Join(rel, manifest))
	claimed[manifest] = true
	u := t.in.unit(mf)
	var old []*Unit
	m, errs := parse(mf)
	u.damage = append(u.damage, errs...)
	u.begin, u.first = followers(m)
	// A file that is of the log is that, whatever else the manifest says of it.
	slices.SortStableFunc(m, func(a, b aof.ManifestFile) int {
		switch at, bt := a.Type == aof.History, b.Type == aof.History; {
		case at == bt:
			return 0
		case bt:
			return -1
		}
		return 1
	})
	named := map[string]bool{}
	for _, e := range m {
		name := e.Name
		if _, ok := slices.BinarySearch(names, name); !ok {
			u.damage = append(u.damage, missing(joined(t.path, path.Join(rel, name))))
			continue
		}
		if name == manifest {
			u.damage = append(u.damage, &keyspace.FormatError{Pos: at(mf.Path, 0), What: "a manifest that names itself", Err: keyspace.ErrCorrupt})
		}
		if named[name] {
			u.damage = append(u.damage, &keyspace.FormatError{Pos: at(joined(t.path, path.Join(rel, name)), 0), What: "a file that the manifest names twice", Err: keyspace.ErrCorrupt})
		}
		if claimed[name] {
			continue
		}
		claimed[name], named[name] = true, true
		f := t.entry(path.Join(rel, name))
		if f.Same != "" {
			f.Kind, f.Skipped = "", ""
			f.examine() // a log is read whole, whatever other names its files have
		}
		f.seq = e.Seq
		if !u.take(f, e.Type) {
			f.base = !isIncr(name)
			old = append(old, t.in.unit(f))
		}
	}
	u.headless = u.begin.base != none && !u.hasBase()
	if err := t.emit(u); err != nil || t.in.o.Alone {
		return err
	}
	for _, h := range old {
		if err := t.emit(h); err != nil {
			return err
		}
	}
	return nil
}

// missing is the damage of a log that lacks a file.
func missing(path string) error {
	return &keyspace.FormatError{Pos: at(path, 0), What: "a file that the manifest names does not exist", Err: keyspace.ErrTruncated}
}

// take adds to the unit of a manifest a file that it names, and reports whether
// that is part of the log: a history file is not.
func (u *Unit) take(f *File, as aof.FileType) bool {
	switch {
	case f.Err != nil:
		u.damage = append(u.damage, f.Err)
	case f.isLost():
		f.Skipped = ""
		u.damage = append(u.damage, &keyspace.FormatError{Pos: at(f.Path, 0), What: "an empty file in the place of a snapshot", Err: keyspace.ErrTruncated})
	case f.Kind == Empty:
		f.Skipped = "" // a log in which nothing has happened yet
	case f.Kind != AOF && f.Kind != RDB:
		u.damage = append(u.damage, &keyspace.FormatError{Pos: at(f.Path, 0), What: "a file that the manifest names is neither a snapshot nor a log", Err: keyspace.ErrUnsupported})
	}
	switch as {
	case aof.History:
		f.Role = HistoryFile
		return false
	case aof.Base:
		f.Role, f.base = Base, true
	default:
		f.Role = Incr
	}
	u.join(f)
	return true
}

// join adds a file to the log that a unit is.
func (u *Unit) join(f *File) {
	u.Files = append(u.Files, f)
	if f.isOfLog() {
		u.log = append(u.log, f)
	}
}

// isOfLog reports whether a log can hold what the file is.
func (f *File) isOfLog() bool { return f.Kind == AOF || f.Kind == RDB || f.Kind == Empty }

// isLost reports whether nothing is left of a base that was a snapshot: that of no data
// has a header.
func (f *File) isLost() bool {
	return f.Kind == Empty && strings.HasSuffix(withoutLayers(f.Path), baseSuffix)
}

// hasBase reports whether a log has what it begins with.
func (u *Unit) hasBase() bool { return len(u.log) > 0 && u.log[0].base && !u.log[0].isLost() }

// parse reads a manifest. What it names in spite of errors is kept.
func parse(mf *File) (files []aof.ManifestFile, errs []error) {
	if mf.Err != nil {
		return nil, nil // it is in the unit's damage already
	}
	r, err := mf.open(0)
	if err != nil {
		return nil, []error{&keyspace.FormatError{Pos: at(mf.Path, 0), What: "opening the file", Err: cause(err)}}
	}
	defer r.Close()
	m, err := aof.ParseManifest(r)
	errs = []error{err}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		errs = all.Unwrap()
	}
	for i, err := range errs {
		var format *keyspace.FormatError
		if errors.As(err, &format) {
			placed := *format
			placed.Pos.Source = mf.Path
			errs[i] = &placed
		}
	}
	if err == nil {
		errs = nil
	}
	return m.Files, errs
}

func isTemporary(name string) bool { return strings.HasPrefix(name, "temp-") }

// roleBeside says what part a file plays that no manifest names: the rest of a
// save or rewrite that did not finish (rdb.c, rdbSave: "temp-<pid>.rdb"; aof.c,
// rewriteAppendOnlyFileBackground: "temp-rewriteaof-<pid>.aof"), or a file of a
// log whose manifest lies beside it.
func roleBeside(name string, manifests []string) Role {
	if isTemporary(name) {
		return Temporary
	}
	for _, m := range manifests {
		stem := strings.TrimSuffix(m, ".manifest")
		if strings.HasPrefix(name, stem+".") {
			return Orphan
		}
	}
	return NoRole
}
