package scan

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Config tells a Scanner what to look for and what to show.
type Config struct {
	// Workers is how many goroutines scan. The findings do not depend on it.
	// Default: the number of cores.
	Workers int

	// IDKey is the key of the HMAC that makes ids and fingerprints. With the
	// same key they are the same from run to run. Default: a random one.
	IDKey []byte

	// Reveal shows secrets as they are. Otherwise they are masked in every
	// field of a Finding.
	Reveal bool

	// Plain has findings keep what was masked of them, for [Finding.Plain].
	Plain bool

	// Explain, if set, is called for what looked like a secret and was not
	// reported, and for what could not be opened; from the goroutine that called
	// Scan, in the order of the input, behind the findings around it.
	Explain func(*Exclusion) error

	// NoDefaultRules leaves out betterleaks' rules and the families of this
	// package: only Rules remain.
	NoDefaultRules bool

	// Rules are rule files to use besides the default ones.
	Rules []RuleFile

	// Commands and Values judge commands of logs, and values, by rules of other
	// tools; nil: nobody does.
	Commands CommandJudge
	Values   ValueJudge
	Names    bool // Values is asked about names of keys and fields, too

	// OpenRules reads a file that a rule file extends by path; nil refuses.
	OpenRules func(path string) ([]byte, error)
}

// A Scanner scans streams of events. It may be used by several goroutines at
// once and any number of times.
type Scanner struct {
	config     Config
	rules      []*rule
	matcher    *matcher
	actions    [][]action // by number of pattern
	always     []*rule    // rules without keywords
	paths      []*rule    // rules that only look at the key
	generic    []*rule    // rules of rule files whose keywords are ordinary words
	sets       []*ruleSet
	decoders   []decoder
	frameworks []framework
	sniff      [256]uint64 // by first byte: which decoders may fit
	binary     uint64      // decoders of formats that are no text
	long       uint64      // decoders of nothing short
	snappy     uint64      // the one of them that short texts are asked for, too
	opens      []uint64    // by output of the matcher: which decoders may fit,
	marked     []uint64    // and which frameworks
	byID       map[string]*rule
	byClass    [namePassword + 1]*rule

	commandRules, valueRules []*rule // of the judges

	namers *sync.Pool // of KeyName
}

// An action is what a keyword sets off.
type action struct {
	kind actionKind
	rule *rule
	size int // of the keyword; of actOpen, the decoder's place
}

type actionKind uint8

const (
	actFind     actionKind = iota // ask a family's rule
	actRegex                      // run a regex around the keyword
	actNoun                       // a word of credential-like names: in text, see whether it assigns a value
	actOpen                       // try a decoder
	actPersonal                   // in a name: its value may be personal data
	actMark                       // a framework's session may be near
)

// New builds a Scanner. Its errors are about rule files.
func New(config Config) (*Scanner, error) {
	if config.Workers <= 0 {
		config.Workers = runtime.GOMAXPROCS(0)
	}
	if len(config.IDKey) == 0 {
		config.IDKey = make([]byte, 32)
		rand.Read(config.IDKey)
	}
	if !config.NoDefaultRules && len(config.Rules) == 0 && config.Commands == nil && config.Values == nil {
		of, err := builtIn()
		if err != nil {
			return nil, err
		}
		s := *of
		s.config, s.namers = config, new(sync.Pool)
		return &s, nil
	}
	return compile(config)
}

// builtIn is the scanner of the built-in rules alone: scanners differ in their
// configuration, and share what was made of the rules.
var builtIn = sync.OnceValues(func() (*Scanner, error) { return compile(Config{}) })

// compile makes a Scanner of the rules of a configuration.
func compile(config Config) (*Scanner, error) {
	s := &Scanner{config: config, decoders: decoders(), namers: new(sync.Pool)}
	if !config.NoDefaultRules {
		set, err := defaultRules()
		if err != nil {
			return nil, fmt.Errorf("default rules: %w", err)
		}
		s.sets = append(s.sets, set)
	}
	for _, file := range config.Rules {
		set, err := parseRules(file, config.OpenRules)
		if err != nil {
			return nil, err
		}
		if err := set.compile(); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err)
		}
		s.sets = append(s.sets, set)
	}
	if err := s.build(); err != nil {
		return nil, err
	}
	return s, nil
}

// build numbers the rules and makes one automaton of all keywords.
func (s *Scanner) build() error {
	if !s.config.NoDefaultRules {
		for _, f := range slices.Concat(families(), artefactFamilies(), [][]rule{dataProtectionFamily, sessionFamily}) {
			for i := range f {
				r := f[i]
				s.rules = append(s.rules, &r)
			}
		}
	}
	for k, set := range s.sets {
		for _, r := range set.rules {
			c := *r
			c.set = set
			c.curated = k == 0 && !s.config.NoDefaultRules
			s.rules = append(s.rules, &c)
		}
	}
	if s.config.Commands != nil {
		s.commandRules = s.addJudged(s.config.Commands.Rules())
	}
	if s.config.Values != nil {
		s.valueRules = s.addJudged(s.config.Values.Rules())
	}
	s.byID = map[string]*rule{}
	for _, r := range s.rules {
		if s.byID[r.id] == nil {
			s.byID[r.id] = r
		}
	}
	for class, id := range nameRuleIDs {
		s.byClass[class] = s.byID[id]
	}
	var patterns []string
	number := map[string]int{}
	on := func(keyword string, a action) {
		n, ok := number[keyword]
		if !ok {
			n = len(patterns)
			number[keyword] = n
			patterns = append(patterns, keyword)
			s.actions = append(s.actions, nil)
		}
		if a.kind != actOpen && a.kind != actMark {
			a.size = len(keyword)
		}
		s.actions[n] = append(s.actions[n], a)
	}
	for i, r := range s.rules {
		r.index = i
		switch {
		case r.silent:
			continue
		case r.find == nil && r.regex == nil:
			s.paths = append(s.paths, r)
			continue
		case r.generic:
			s.generic = append(s.generic, r)
			continue
		case len(r.keywords) == 0 && r.regex != nil:
			s.always = append(s.always, r)
		}
		for _, k := range r.names {
			on(k, action{kind: actPersonal, rule: r})
		}
		for _, k := range r.keywords {
			if r.find != nil {
				on(k, action{kind: actFind, rule: r})
			} else {
				on(k, action{kind: actRegex, rule: r})
			}
		}
	}
	if !s.config.NoDefaultRules {
		for _, w := range nounKeywords {
			on(w, action{kind: actNoun})
		}
	}
	for i, d := range s.decoders {
		for _, k := range d.keywords {
			on(k, action{kind: actOpen, size: i})
		}
	}
	if !s.config.NoDefaultRules {
		s.frameworks = frameworks()
	}
	for i, f := range s.frameworks {
		for _, k := range f.marks {
			on(k, action{kind: actMark, size: i})
		}
	}
	m, err := newMatcher(patterns)
	if err != nil {
		return err
	}
	s.matcher = m
	s.opens, s.marked = make([]uint64, len(m.outputs)), make([]uint64, len(m.outputs))
	for i, patterns := range m.outputs {
		for _, p := range patterns {
			for _, a := range s.actions[p] {
				switch a.kind {
				case actOpen:
					s.opens[i] |= 1 << a.size
				case actMark:
					s.marked[i] |= 1 << a.size
				}
			}
		}
	}
	for i, d := range s.decoders {
		if d.binary {
			s.binary |= 1 << i
		}
		if d.long {
			s.long |= 1 << i
		}
		if d.kind == snappyDecoder.kind && d.binary {
			s.snappy |= 1 << i
		}
		for b := range s.sniff {
			if d.starts != nil && d.starts(byte(b)) {
				s.sniff[b] |= 1 << i
			}
		}
	}
	return nil
}

// addJudged adds the rules of a judge.
func (s *Scanner) addJudged(infos []RuleInfo) []*rule {
	from := len(s.rules)
	for _, r := range judgeRules(infos) {
		s.rules = append(s.rules, &r)
	}
	return s.rules[from:]
}

// Rules describes the rules, in the order in which they were given.
func (s *Scanner) Rules() []RuleInfo {
	out := make([]RuleInfo, 0, len(s.rules))
	for _, r := range s.rules {
		if !r.silent {
			out = append(out, RuleInfo{r.id, r.description, r.category, r.severity, r.confidence, r.technique, r.next})
		}
	}
	return out
}

// Scan reads events to their end and calls found, from the goroutine that
// called Scan, for each finding in the order of the input. An error of found,
// of ctx or of the events ends the scan and is returned, after the findings
// before it; Stats counts what was scanned until then.
//
// Events is ranged over by another goroutine, which has ended when Scan returns.
// A Finding belongs to found.
func (s *Scanner) Scan(ctx context.Context, events keyspace.Seq, found func(*Finding) error) (Stats, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	workers := s.config.Workers
	work := make(chan *batch, workers)        // to the workers
	inOrder := make(chan *batch, 2*workers+1) // to the caller, in the order of the input
	free := make(chan *batch, 2*workers+2)
	for range cap(free) {
		free <- nil // made when it is first needed
	}

	for range workers {
		go func() {
			w := newWorker(s)
			for b := range work {
				w.batch(b)
				b.done <- struct{}{}
			}
		}()
	}

	var keys uint64
	ended := make(chan error, 1)
	go func() {
		defer close(inOrder)
		defer close(work)
		get := func() *batch {
			select {
			case b := <-free:
				if b == nil {
					b = newBatch()
				}
				b.reset()
				return b
			case <-ctx.Done():
				return nil
			}
		}
		send := func(b *batch) bool {
			select {
			case inOrder <- b:
				work <- b // never blocks for good: workers only end when it is closed
				return true
			case <-ctx.Done():
				return false
			}
		}
		c := &collector{cur: get(), commands: s.config.Commands}
		c.next = func(b *batch) *batch {
			if !send(b) {
				return nil
			}
			return get()
		}
		err := c.collect(ctx, events)
		if c.cur != nil && len(c.cur.leaves) > 0 {
			send(c.cur)
		}
		keys = c.keys
		ended <- err
	}()

	var stats Stats
	var first error
	var held heldBack
	emit := func(i *heldItem) error {
		if i.exclusion != nil {
			return s.config.Explain(i.exclusion)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := found(i.finding); err != nil {
			return err
		}
		stats.found(i.finding)
		return nil
	}
	for b := range inOrder {
		<-b.done
		if first == nil {
			stats.add(&b.stats)
			for _, f := range b.findings {
				held.finding(f)
			}
			for _, e := range b.exclusions {
				held.exclusion(e)
			}
			if first = held.release(emit, false); first != nil {
				cancel()
			}
		}
		free <- b
	}
	if first == nil {
		first = held.release(emit, true)
	}
	if err := <-ended; first == nil {
		first = err
	}
	stats.Keys = keys
	return stats, first
}

// collect ranges over the events.
func (c *collector) collect(ctx context.Context, events keyspace.Seq) error {
	if c.cur == nil {
		return ctx.Err()
	}
	for e, err := range events {
		if err != nil {
			c.endPart()
			return err
		}
		if !c.add(e) {
			return ctx.Err()
		}
	}
	c.endPart()
	return nil
}
