package audit

import (
	"bytes"
	"path"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// checkSequence looks for what is missing in a log of several parts: servers
// number its files one by one (aof.c, getNewIncrAofName), and name all of them in
// the manifest.
func checkSequence(s *Subject) []Answer {
	files, a := s.dataFiles()
	if a != nil {
		return a
	}
	var fs []Answer
	manifests := 0
	there := map[string]bool{}
	for _, f := range files {
		there[f.Path] = true
	}
	for _, f := range files {
		if f.Kind != source.Manifest {
			continue
		}
		manifests++
		text, err := s.FS.ReadFile(f.Path, 4*maxText)
		if err != nil {
			return unknown("the manifest cannot be read: %v", plainError(err))
		}
		m, err := aof.ParseManifest(bytes.NewReader(text))
		if err != nil {
			fs = append(fs, fail(Place{File: f.Path}, restore, "a manifest that servers refuse: %v", err).severe(High))
		}
		fs = append(fs, gaps(f.Path, m)...)
		for _, part := range m.Files {
			if name := path.Join(path.Dir(f.Path), part.Name); part.Type != aof.History && !there[name] {
				if _, err := s.FS.Stat(name); err != nil {
					fs = append(fs, fail(Place{File: f.Path}, restore, "%s is named, and not there", part.Name).severe(High))
				}
			}
		}
	}
	if manifests == 0 {
		return na("no log of several parts")
	}
	return orPass(fs, Place{File: s.Dir}, "the files of the log are numbered one by one, and all there")
}

const restore = "compare with a verified backup"

// gaps looks at the numbers of incr files.
func gaps(manifest string, m *aof.Manifest) []Answer {
	var fs []Answer
	last := int64(0)
	for _, part := range m.Files {
		if part.Type != aof.Incr {
			continue
		}
		if last > 0 && part.Seq != last+1 {
			fs = append(fs, fail(Place{File: manifest}, restore, "incr file %d follows %d: what was written between them is missing", part.Seq, last))
		}
		last = part.Seq
	}
	return fs
}
