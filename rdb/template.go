package rdb

import (
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Hash templates of Redis 8.10, as redis/librdb reads them (elementHashTemplate):
// names of fields that many hashes share, in records of their own, and hashes
// that hold values only.

// template reads RDB_OPCODE_HASH_TEMPLATE: its id and field names.
func (r *Reader) template() error {
	id, err := r.length("hash template id")
	if err != nil {
		return err
	}
	n, err := r.count("hash template: number of fields")
	if err == nil && n == 0 {
		err = r.fail("hash template: without fields", keyspace.ErrCorrupt)
	}
	var names cells
	for ; err == nil && n > 0; n-- {
		if r.field, err = r.name(r.field[:0], "hash template field"); err == nil {
			err = r.keepName(&names, r.field)
		}
	}
	if err != nil {
		return err
	}
	if r.templates == nil {
		r.templates = map[uint64]*cells{}
	}
	r.templates[id] = &names
	return nil
}

// keepName adds a name to a template; all templates together are bounded by MaxKey.
func (r *Reader) keepName(names *cells, p []byte) error {
	const overhead = 40 // of a name without bytes
	if r.templateBytes += len(p) + overhead; r.templateBytes > r.lim.MaxKey {
		return r.fail("hash templates", keyspace.ErrLimit)
	}
	names.add(p, r.ev.Name)
	return nil
}

// hashTemplate reads types 29 to 32: values in a listpack behind the
// template's id or in a run of strings, field names in the record itself or in
// a template.
func hashTemplate(packed, inline bool) func(*Reader) error {
	return func(r *Reader) (err error) {
		var names *cells
		if inline {
			if names, err = r.inlineTemplate(); err != nil {
				return err
			}
			defer func(n int) { r.templateBytes = n }(r.templateBytes)
		}
		if packed {
			return r.templatePacked(names)
		}
		if names == nil {
			id, err := r.length("hash template id")
			if err != nil {
				return err
			}
			if names = r.templates[id]; names == nil {
				return r.fail("hash: its template is not in the file", keyspace.ErrCorrupt)
			}
		}
		for i := range names.len() {
			r.ev.Field, r.ev.Name = names.at(i), names.places[i]
			if err := r.value("value"); err != nil {
				return err
			}
		}
		return nil
	}
}

// inlineTemplate reads field names: 0 and a listpack of them, or 1, their
// number and a run of strings.
func (r *Reader) inlineTemplate() (*cells, error) {
	format, err := r.length("hash template format")
	if err != nil {
		return nil, err
	}
	names := &cells{}
	switch format {
	case 0:
		w, err := r.openWalk(keyspace.Listpack)
		if err != nil {
			return nil, err
		}
		for {
			ok, err := r.step(&w, &r.cell)
			if !ok || err != nil {
				return names, err
			}
			var p []byte
			if p, r.field, err = r.cellBytes(w.b, &r.cell, r.field, "field"); err != nil {
				return nil, err
			}
			if err := r.keepName(names, p); err != nil {
				return nil, err
			}
		}
	case 1:
		n, err := r.count("number of fields")
		for ; err == nil && n > 0; n-- {
			if r.field, err = r.name(r.field[:0], "field"); err == nil {
				err = r.keepName(names, r.field)
			}
		}
		return names, err
	}
	return nil, r.fail("hash template: unknown format", keyspace.ErrUnsupported)
}

// templatePacked reads a listpack of the template's id and the values.
func (r *Reader) templatePacked(names *cells) error {
	if r.skip {
		return r.passString("listpack")
	}
	w, err := r.openWalk(keyspace.Listpack)
	if err != nil {
		return err
	}
	id, err := r.cellNumber(&w)
	if err != nil {
		return err
	}
	if names == nil {
		if names = r.templates[uint64(id)]; names == nil {
			return r.blobFail(w.b, "hash: its template is not in the file", keyspace.ErrCorrupt)
		}
	}
	for i := range names.len() {
		if err := r.must(&w, &r.cell); err != nil {
			return err
		}
		r.ev.Field, r.ev.Name = names.at(i), names.places[i]
		if err := r.cellValue(w.b, &r.cell, keyspace.Listpack, "value"); err != nil {
			return err
		}
	}
	ok, err := r.step(&w, &r.cell)
	if err == nil && ok {
		err = r.blobFail(w.b, "hash: more values than its template has fields", keyspace.ErrCorrupt)
	}
	return err
}
