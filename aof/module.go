package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// applyModule is a command of a module that writes to its first argument: all
// others become part of the value, words of the command's own included.
func applyModule(c *command) {
	c.readKey()
	c.grow(keyspace.Module)
}

// grow reads what is left of the arguments as parts of the value.
func (c *command) grow(typ keyspace.Type) {
	c.begin(keyspace.OpUpdate, typ)
	for c.more() {
		c.element(keyspace.OpAppend)
	}
	c.end()
}

// applyModuleTriples is TS.MADD key timestamp value [key timestamp value …].
func applyModuleTriples(c *command) {
	for c.more() {
		c.readKey()
		c.begin(keyspace.OpUpdate, keyspace.Module)
		c.element(keyspace.OpAppend)
		c.element(keyspace.OpAppend)
		c.end()
	}
}

// applyModuleMerge is CMS.MERGE and TDIGEST.MERGE destination numkeys key [key …]
// and weights.
func applyModuleMerge(c *command) { c.computedOf(keyspace.Module) }

// applyModuleRule is TS.CREATERULE source destination AGGREGATION name bucket and
// TS.DELETERULE source destination.
func applyModuleRule(c *command) {
	c.readKey()
	c.touch(keyspace.Module)
	c.skip(c.argc)
}

// applyModuleDel is a command of a module that removes what its arguments name.
func applyModuleDel(c *command) {
	c.readKey()
	if !c.more() {
		c.event(keyspace.Delete, keyspace.OpDeleteSome, keyspace.Module)
		c.emit()
	}
	for c.more() {
		e := c.event(keyspace.Delete, keyspace.OpDeleteSome, keyspace.Module)
		c.named(&e.Value)
		c.emit()
	}
}

// JSON: Field is the path.

// applyJSONSet is JSON.SET key path value [NX|XX …] and JSON.MSET key path value
// [key path value …], JSON.MERGE key path value.
func applyJSONSet(c *command) {
	c.jsonSet(keyspace.OpPut)
	c.skip(c.argc)
}

func applyJSONMerge(c *command) { c.jsonSet(keyspace.OpAppend) }

func applyJSONMSet(c *command) {
	for c.more() {
		c.jsonSet(keyspace.OpPut)
	}
}

func (c *command) jsonSet(op keyspace.Op) {
	c.readKey()
	path, at := c.name(fieldSlot)
	key := keyspace.OpUpdate
	if op == keyspace.OpPut && isRoot(path) {
		key = keyspace.OpCreate
	}
	c.begin(key, keyspace.Module)
	c.r.ev.Field, c.r.ev.Name = path, placeOf(path, at)
	c.element(op)
	c.end()
}

// isRoot reports whether a JSON path names the whole document.
func isRoot(path []byte) bool { return len(path) == 1 && (path[0] == '$' || path[0] == '.') }

// applyJSONDel is JSON.DEL and JSON.FORGET key [path].
func applyJSONDel(c *command) {
	c.readKey()
	var path []byte
	if c.more() {
		path, _ = c.name(fieldSlot)
	}
	if path == nil || isRoot(path) {
		c.deleteKey()
		return
	}
	c.event(keyspace.Delete, keyspace.OpDeleteElement, keyspace.Module).Field = path
	c.emit()
}

// applyJSONChange is JSON.ARRAPPEND, JSON.NUMINCRBY and others: key path value […].
func applyJSONChange(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.Module)
	if c.argc > 3 {
		c.field()
	}
	c.jsonValues()
}

// jsonValues reads values, of which the first bears the path.
func (c *command) jsonValues() {
	for c.more() {
		c.element(keyspace.OpAppend)
		c.r.ev.Field = nil
	}
	c.end()
}

// applyJSONInsert is JSON.ARRINSERT key path index value [value …].
func applyJSONInsert(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.Module)
	c.field()
	c.skip(1)
	c.jsonValues()
}

// applyJSONDrop is JSON.ARRPOP, JSON.ARRTRIM, JSON.CLEAR and JSON.TOGGLE: key
// [path [number …]].
func applyJSONDrop(c *command) {
	c.readKey()
	e := c.event(keyspace.Delete, keyspace.OpDeleteSome, keyspace.Module)
	if c.more() {
		c.named(&e.Field)
	}
	c.emit()
	c.skip(c.argc)
}

// Vector sets, Redis 8.0: the element is a Value, its attributes and numbers are
// parts of the set.

// applyVAdd is VADD key [REDUCE dim] FP32 blob|VALUES n number … element [CAS]
// [NOQUANT|Q8|BIN] [EF n] [SETATTR attributes] [M n].
func applyVAdd(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.VectorSet)
	vector := int64(0)
	for vector == 0 && c.more() {
		switch w := c.word(); {
		case is(w, "REDUCE"):
			c.skip(1)
		case is(w, "FP32"):
			vector = 1
		case is(w, "VALUES"):
			vector = max(1, c.integer())
		}
	}
	for ; vector > 0 && c.more(); vector-- {
		c.element(keyspace.OpAppend)
	}
	c.element(keyspace.OpPut)
	for c.more() {
		switch w := c.word(); {
		case is(w, "SETATTR"):
			c.element(keyspace.OpAppend)
		case is(w, "EF"), is(w, "M"):
			c.skip(1)
		}
	}
	c.end()
}

// applyVRem is VREM key element.
func applyVRem(c *command) { c.readKey(); c.deleteMembers(keyspace.VectorSet) }

// applyVSetAttr is VSETATTR key element attributes.
func applyVSetAttr(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.VectorSet)
	c.field()
	c.element(keyspace.OpAppend)
	c.end()
}
