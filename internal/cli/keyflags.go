package cli

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// keyFlags select keys.
type keyFlags struct {
	dbs   dbList
	key   string
	types []string
}

func (k *keyFlags) flags(f *pflag.FlagSet) {
	f.Var(&k.dbs, "db", "only keys of the databases `N[,N]`")
	f.StringVar(&k.key, "key", "", "only keys that match `REGEX`")
	f.StringSliceVar(&k.types, "type", nil, "only keys of the `TYPES`: string, list, set, zset, hash, stream, module, vectorset")
}

// dbList is numbers of databases as a flag, repeatable.
type dbList []int32

func (l *dbList) String() string { return "" } // the default is not worth a word

func (l *dbList) Type() string { return "N" }

func (l *dbList) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(word), 10, 32)
		if err != nil || n < 0 {
			return errors.New("not the number of a database: say 0 or 0,3")
		}
		*l = append(*l, int32(n))
	}
	return nil
}

// match reports of an event whether it is of a key that is wanted; nil wants all.
func (k *keyFlags) match() (func(*keyspace.Event) bool, error) {
	f, err := k.filter()
	if err != nil || f.All() {
		return nil, err
	}
	return f.Match, nil
}

// want reports of a key whether it is wanted; nil wants all.
func (k *keyFlags) want() (func(db int32, key []byte) bool, error) {
	match, err := k.match()
	if match == nil {
		return nil, err
	}
	return func(db int32, key []byte) bool { return match(&keyspace.Event{DB: db, Key: key}) }, nil
}

func (k *keyFlags) filter() (*export.Filter, error) {
	f := &export.Filter{DBs: k.dbs}
	if k.key != "" {
		re, err := regexp.Compile(k.key)
		if err != nil {
			return nil, usagef("--key: %v", err)
		}
		f.Key = re
	}
	for _, name := range k.types {
		t, ok := typeNamed(name)
		if !ok {
			return nil, usagef("--type: no such type: %q", name)
		}
		f.Types = append(f.Types, t)
	}
	return f, nil
}

func typeNamed(name string) (keyspace.Type, bool) {
	for t := keyspace.String; t.String() != "invalid"; t++ {
		if t.String() == name {
			return t, true
		}
	}
	return 0, false
}
