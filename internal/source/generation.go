package source

import (
	"cmp"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/aof"
)

// The ends of the names of a log's files, behind the name of the log and a number
// (aof.c, getNewBaseFileNameAndMarkPreAsHistory, getNewIncrAofName).
const (
	incrSuffix   = ".incr.aof"
	baseSuffix   = ".base.rdb"
	baseSuffixOf = ".base.aof" // of a base of commands
)

// isIncr reports whether a name is that of an incr file.
func isIncr(name string) bool { return strings.HasSuffix(withoutLayers(name), incrSuffix) }

// number sets what the name of an orphan says: which file of the log it was. ok is false
// if it says nothing.
func (f *File) number(log string) (ok bool) {
	rest, found := strings.CutPrefix(withoutLayers(filepath.Base(f.Path)), log+".")
	if !found {
		return false
	}
	digits := rest
	for _, end := range []string{incrSuffix, baseSuffix, baseSuffixOf} {
		if digits, found = strings.CutSuffix(rest, end); found {
			f.base = end != incrSuffix
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if f.seq = n; err != nil || !found || n <= 0 || strconv.FormatInt(n, 10) != digits {
		f.seq = 0
	}
	return f.seq > 0
}

// ends are the numbers of the base and of the first incr file of a generation of a log.
type ends struct{ base, incr int64 }

// none stands for the number of a file that there is not: behind all others.
const none = math.MaxInt64

// followers says of a manifest with which files the log begins, and by the number of each
// superseded base which incr file followed it. Of superseded files the newest come first,
// and a base comes behind the incr files that followed it (aof.c,
// getNewBaseFileNameAndMarkPreAsHistory and markRewrittenIncrAofAsHistory: each puts them
// before the others).
func followers(m []aof.ManifestFile) (begin ends, of map[int64]int64) {
	begin, of = ends{none, none}, map[int64]int64{}
	var first, last int64 // of superseded incr files
	for _, e := range m {
		switch {
		case e.Type == aof.Base:
			begin.base = e.Seq
		case e.Type == aof.Incr:
			begin.incr = min(begin.incr, e.Seq)
		case !isIncr(e.Name):
			of[e.Seq], first, last = first, 0, 0
		case first == 0 || e.Seq <= last: // those before followed a base that is gone
			first, last = e.Seq, e.Seq
		default:
			last = e.Seq
		}
	}
	return begin, of
}

// place makes generations of history files and orphans. A base and the incr file behind it
// belong together if the manifest says so, or if their numbers leave no doubt: both are
// counted up, but a rewrite that fails leaves a new incr file and no base.
func (l *Lineage) place(old []*Unit) {
	name := strings.TrimSuffix(filepath.Base(l.Log.Name()), ".manifest")
	begin := l.Log.begin
	bases, incrs := map[int64]*Unit{}, map[int64]*Unit{}
	for _, u := range old {
		f := u.Files[0]
		ok := f.Role == HistoryFile || f.number(name) && (f.isOfLog() || f.Same != "" || f.Err != nil)
		of, before := incrs, begin.incr
		if f.base {
			of, before = bases, begin.base
		}
		if !ok || f.seq >= before || of[f.seq] != nil {
			l.Unplaced = append(l.Unplaced, u)
			continue
		}
		of[f.seq] = u
	}
	l.Older = generations(bases, incrs, l.Log.first, begin)
}

// generations are those of numbered files, the oldest first.
func generations(bases, incrs map[int64]*Unit, first map[int64]int64, next ends) (out []*Unit) {
	type generation struct {
		at int64 // the number of its first incr file, as far as that is known
		u  *Unit
	}
	var all []generation
	behind := map[int64]*Unit{} // bases, by the numbers of the incr files that follow them
	for _, seq := range slices.Backward(sorted(bases)) {
		// A log begins with the first of both, and each rewrite from this base to the next
		// one that is known took an incr file.
		at, most := first[seq], next.incr-(next.base-seq)
		if at < seq || at > most {
			at = 0
		}
		if seq == 1 || at == 0 && seq == most && next.incr != none {
			at = seq
		}
		if at > 0 {
			next = ends{seq, at}
		}
		if incrs[at] != nil {
			behind[at] = bases[seq]
			continue
		}
		all = append(all, generation{cmp.Or(at, seq), generationOf(bases[seq])})
	}
	var last int64
	for _, seq := range sorted(incrs) {
		switch base := behind[seq]; {
		case base != nil:
			all = append(all, generation{seq, generationOf(base)})
		case last == 0 || seq != last+1: // what came before is missing
			all = append(all, generation{seq, &Unit{in: incrs[seq].in}})
		}
		all[len(all)-1].u.add(incrs[seq])
		last = seq
	}
	slices.SortStableFunc(all, func(a, b generation) int { return cmp.Compare(a.at, b.at) })
	for _, g := range all {
		g.u.headless = !g.u.hasBase()
		out = append(out, g.u)
	}
	return out
}

func sorted(of map[int64]*Unit) []int64 {
	var numbers []int64
	for n := range of {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers
}

func generationOf(base *Unit) *Unit {
	u := &Unit{in: base.in}
	u.add(base)
	return u
}

// add adds a history file or an orphan to a generation. What is wrong with a history file
// is in the damage of the log that names it.
func (u *Unit) add(old *Unit) {
	f := old.Files[0]
	if f.Same != "" {
		f.Kind, f.Skipped = "", ""
		f.examine() // a log is read whole, whatever other names its files have
		if f.Err != nil && f.Role == Orphan {
			u.damage = append(u.damage, f.Err)
		}
	}
	if f.Role == Orphan {
		u.damage = append(u.damage, old.damage...)
	}
	u.join(f)
}
