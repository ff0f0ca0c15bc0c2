package audit

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"time"

	"go.yaml.in/yaml/v3"
)

// Waiver accepts a failure for a time.
type Waiver struct {
	ID     string // of the check
	Path   string // glob for the file at which it fails; "": any
	Reason string
	Until  time.Time // the last day on which it counts
}

// ParseWaivers reads a list of waivers in YAML: id, path, reason and expires
// (2027-01-31). All but path are needed, and a field that is not one of these is
// an error.
func ParseWaivers(data []byte) ([]Waiver, error) {
	var file struct {
		Waivers []struct {
			ID      string `yaml:"id"`
			Path    string `yaml:"path"`
			Reason  string `yaml:"reason"`
			Expires string `yaml:"expires"`
		} `yaml:"waivers"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, errors.New("not a list of waivers: waivers: [{id, path, reason, expires}]")
	}
	known := map[string]bool{}
	for _, c := range Catalogue() {
		known[c.ID] = true
	}
	var ws []Waiver
	for i, w := range file.Waivers {
		until, err := time.Parse(time.DateOnly, w.Expires)
		switch {
		case !known[w.ID]:
			return nil, fmt.Errorf("waiver %d: no check has this id", i+1)
		case w.Reason == "":
			return nil, fmt.Errorf("waiver %d (%s): a reason is needed", i+1, w.ID)
		case err != nil:
			return nil, fmt.Errorf("waiver %d (%s): expires: a day such as 2027-01-31 is needed", i+1, w.ID)
		}
		if _, err := path.Match(w.Path, ""); err != nil {
			return nil, fmt.Errorf("waiver %d (%s): the path is not a pattern", i+1, w.ID)
		}
		ws = append(ws, Waiver{w.ID, w.Path, w.Reason, until.AddDate(0, 0, 1)})
	}
	return ws, nil
}

// waiver returns the waiver that accepts a failure, nil if there is none. One
// that has expired, or whose expiry cannot be judged, accepts nothing.
func (o *Options) waiver(r *Result) *Waiver {
	if r.Status != Fail || o.Now.IsZero() {
		return nil
	}
	for i := range o.Waivers {
		w := &o.Waivers[i]
		if w.ID != r.Check.ID || !o.Now.Before(w.Until) {
			continue
		}
		if ok, _ := path.Match(w.Path, r.Place.File); ok || w.Path == "" {
			return w
		}
	}
	return nil
}
