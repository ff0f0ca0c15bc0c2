package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/backup"
)

// openStore opens the place where sets lie.
func openStore(ctx context.Context, location string, create bool) (backup.Store, error) {
	if strings.Contains(location, "://") {
		return nil, usagef("%s: no such kind of destination; a directory is one", safe(location))
	}
	return backup.OpenDir(location, create)
}

// openSets opens what a command line names: a destination, or a label or a set in
// one.
func openSets(ctx context.Context, location string) (backup.Store, backup.Ref, error) {
	return backup.Split(ctx, location, func(l string) (backup.Store, error) { return openStore(ctx, l, false) })
}

// named returns the sets that a location names: one, or all below it.
func named(ctx context.Context, s backup.Store, r backup.Ref) ([]backup.Ref, error) {
	if r.ID != "" {
		return []backup.Ref{r}, nil
	}
	l, err := backup.List(ctx, s, r.Label)
	if err != nil {
		return nil, err
	}
	return l.Sets, nil
}

// verifyFlags are the keys that may have signed.
type verifyFlags struct{ keys []string }

func (v *verifyFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&v.keys, "sign-pub", nil, "want a signature by the minisign key `KEY`, a file or its base64 (repeatable)")
}

func (v *verifyFlags) parse() ([]*crypt.VerifyingKey, error) {
	var keys []*crypt.VerifyingKey
	for _, k := range v.keys {
		text := []byte(k)
		if data, err := os.ReadFile(k); err == nil {
			text = data
		}
		key, err := crypt.ParseVerifyingKey(text)
		if err != nil {
			return nil, usagef("--sign-pub: %v", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// period is a duration as a flag, in days and weeks too.
type period time.Duration

func (p *period) String() string {
	if *p == 0 {
		return ""
	}
	return time.Duration(*p).String()
}

func (p *period) Type() string { return "AGE" }

func (p *period) Set(text string) error {
	for unit, d := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		var n int
		if number, ok := strings.CutSuffix(text, unit); ok {
			if _, err := fmt.Sscanf(number, "%d", &n); err == nil && n > 0 && fmt.Sprint(n) == number {
				*p = period(time.Duration(n) * d)
				return nil
			}
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return fmt.Errorf("not a time: say 26h or 2d")
	}
	*p = period(d)
	return nil
}
