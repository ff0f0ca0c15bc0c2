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
	"github.com/valkeyfs/valkeyfs/internal/s3"
)

// destFlags say how a destination is reached.
type destFlags struct {
	place  s3.Place
	retain period
}

func (d *destFlags) flags(f *pflag.FlagSet) {
	bucketFlags(&d.place, f)
}

// bucketFlags say where buckets are.
func bucketFlags(p *s3.Place, f *pflag.FlagSet) {
	f.StringVar(&p.Endpoint, "s3-endpoint", "", "reach s3://… at `HOST[:PORT]` (default: Amazon's)")
	f.StringVar(&p.Region, "s3-region", "", "the `REGION` of the bucket (default: the server is asked)")
	f.BoolVar(&p.Insecure, "s3-insecure", false, "reach s3://… without TLS")
}

// open opens the place where sets lie.
func (d *destFlags) open(location string, create bool) (backup.Store, error) {
	switch scheme, _, ok := strings.Cut(location, "://"); {
	case !ok:
		return backup.OpenDir(location, create)
	case scheme == "s3":
		if bucket, _ := s3.Split(location); bucket == "" {
			return nil, usagef("%s: no bucket is named", safe(location))
		}
		return backup.OpenS3(location, backup.S3Options{Place: d.place, Retain: time.Duration(d.retain), Now: time.Now})
	}
	return nil, usagef("%s: no such kind of destination: a directory or s3://BUCKET/PREFIX", safe(location))
}

// openSets opens what a command line names: a destination, or a label or a set in
// one.
func (d *destFlags) openSets(ctx context.Context, location string) (backup.Store, backup.Ref, error) {
	return backup.Split(ctx, location, func(l string) (backup.Store, error) { return d.open(l, false) })
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
