package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/s3"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// globals are the flags that every verb has.
type globals struct {
	output     string
	quiet      bool
	noProgress bool
	noColor    bool
	maxMem     size
	workers    int
	asOf       asOf
	identities []string
	tmp        string
}

func (g *globals) flags(f *pflag.FlagSet) {
	g.maxMem = defaultMaxMem
	f.StringVarP(&g.output, "output", "o", "", "write to `FILE` (mode 0600, put in place when it is complete) instead of standard output")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "print nothing but errors to standard error")
	f.BoolVar(&g.noProgress, "no-progress", false, "show no progress on a terminal")
	f.BoolVar(&g.noColor, "no-color", false, "no colour on a terminal (NO_COLOR does the same)")
	f.Var(&g.maxMem, "max-mem", "bound of working memory, to which each worker adds 32 MiB")
	f.IntVar(&g.workers, "workers", runtime.GOMAXPROCS(0), "do `N` things in parallel, on as many processors at most")
	f.Var(&g.asOf, "as-of", "judge expiry at this RFC 3339 `TIME` (default: each file's own time)")
	f.StringArrayVarP(&g.identities, "identity", "i", nil, "open what is sealed with the age or SSH identity in `FILE` (repeatable)")
	f.StringVar(&g.tmp, "tmp", "", "keep spilled data, encrypted, in `DIR` (default: the system's)")
}

const defaultMaxMem = 256 << 20

// perWorker is what each worker may take beside --max-mem.
const perWorker = 32 << 20

// check looks at the flags once they are parsed and applies those that concern
// the process.
func (g *globals) check(a *app) error {
	a.stderr.quiet = g.quiet
	if g.workers < 1 {
		return usagef("--workers: at least 1 is needed")
	}
	if g.maxMem < 32<<20 {
		return usagef("--max-mem: at least 32MiB is needed")
	}
	if g.workers < runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(g.workers) // else the runtime's own threads, and what feeds the workers, take others
	}
	// The bound is on what the process takes, and the runtime takes some memory
	// beside its heap.
	limit := int64(g.maxMem) + int64(g.workers)*perWorker
	debug.SetMemoryLimit(limit - limit/8)
	return nil
}

// color reports whether w is to be coloured.
func (g *globals) color(w io.Writer) bool {
	return !g.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

// showProgress reports whether standard error shows progress.
func (g *globals) showProgress(a *app) bool {
	return a.stderr.terminal && !g.quiet && !g.noProgress
}

// inputs opens the inputs that a verb was given, after looking at the paths
// that it will write to.
func (a *app) inputs(ctx context.Context, paths []string, o source.Options) (*source.Inputs, error) {
	g := &a.global
	for _, path := range paths {
		if _, err := os.Lstat(path); err != nil && strings.HasPrefix(path, s3.Scheme) {
			return nil, usagef("%s: what lies in buckets is scanned by \"valkeyfs fleet\"; elsewhere, pipe the object in", safe(path))
		}
	}
	o.Stdin = a.stdin
	o.AsOf = g.asOf.ms
	o.MaxMem = int64(g.maxMem) / 2
	for _, name := range g.identities {
		ids, err := readIdentities(a.ui(), name)
		if err != nil {
			return nil, err
		}
		o.Identities = append(o.Identities, ids...)
	}
	in, err := source.New(ctx, paths, o)
	if errors.Is(err, source.ErrNoInput) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	for _, err := range in.Missing() {
		a.stderr.errorf("%v", err)
	}
	if g.output != "" && g.output != source.Stdin && in.Contains(g.output) {
		return nil, usagef("--output %s lies in the evidence, which is never written to", g.output)
	}
	dir, err := spillDir(g.tmp, in)
	if err != nil {
		return nil, err
	}
	in.SetTmp(dir)
	return in, nil
}

// spillDir returns the directory for spilled data: what the user chose, or the
// first of the usual ones that does not lie in the evidence.
func spillDir(chosen string, in *source.Inputs) (string, error) {
	if chosen != "" {
		if in.Contains(filepath.Join(chosen, "x")) {
			return "", usagef("--tmp %s lies in the evidence, which is never written to", chosen)
		}
		return chosen, nil
	}
	for _, dir := range []string{os.TempDir(), "/var/tmp", "/dev/shm"} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && !in.Contains(filepath.Join(dir, "x")) {
			return dir, nil
		}
	}
	return "", usagef("the system's temporary directories lie in the evidence, which is never written to: choose another by --tmp")
}

func readIdentities(ui crypt.UI, name string) ([]age.Identity, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable("--identity", name, err)
	}
	defer f.Close()
	ids, err := ui.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("identity file %s: %w", name, err)
	}
	return ids, nil
}

// size is a number of bytes as a flag: 1048576, 512KiB, 256MiB, 2GiB.
type size int64

func (s *size) String() string {
	for i, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if n := size(1) << (40 - 10*i); *s >= n && *s%n == 0 {
			return strconv.FormatInt(int64(*s/n), 10) + unit
		}
	}
	return strconv.FormatInt(int64(*s), 10)
}

func (s *size) Type() string { return "SIZE" }

func (s *size) Set(text string) error {
	number := strings.TrimRight(text, "KMGTBiob ")
	shift, ok := map[string]uint{"": 0, "B": 0, "K": 10, "KiB": 10, "KB": 10, "M": 20, "MiB": 20, "MB": 20, "G": 30, "GiB": 30, "GB": 30, "T": 40, "TiB": 40, "TB": 40}[strings.TrimSpace(text[len(number):])]
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || n < 0 || n > 1<<62>>shift {
		return fmt.Errorf("not a size: say 512MiB or 2GiB")
	}
	*s = size(n << shift)
	return nil
}

// asOf is a time as a flag.
type asOf struct {
	ms   int64
	text string
}

func (t *asOf) String() string { return t.text }

func (t *asOf) Type() string { return "TIME" }

func (t *asOf) Set(text string) error {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("not an RFC 3339 time: say 2026-01-31T12:00:00Z")
	}
	t.ms, t.text = at.UnixMilli(), at.UTC().Format(time.RFC3339Nano)
	return nil
}
