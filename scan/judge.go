package scan

import (
	"bytes"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Rules in the languages of other tools are judged outside of this package.

// A CommandJudge knows rules about the commands of a log. Its methods are called
// from one goroutine at a time.
type CommandJudge interface {
	// Rules describes the rules; it says the same each time.
	Rules() []RuleInfo
	// Judge appends to matched the places in Rules of those that a Command event
	// matches. It keeps nothing of e.
	Judge(e *keyspace.Event, matched []int) []int
}

// A ValueJudge knows rules about values. Its methods are called from any number
// of goroutines at once.
type ValueJudge interface {
	// Rules describes the rules; it says the same each time.
	Rules() []RuleInfo
	// Judge calls found for each rule that matches a value, as it stands in the
	// file or as it came out of a container, with its place in Rules and what of
	// data matched. It keeps nothing of data. An error says that the value was not
	// judged to its end.
	Judge(data []byte, found func(rule, from, to int)) error
}

// judgeRules makes rules of what a judge says of its own.
func judgeRules(infos []RuleInfo) []rule {
	out := make([]rule, len(infos))
	for i, r := range infos {
		out[i] = rule{id: r.ID, description: r.Description, category: r.Category, severity: r.Severity, confidence: r.Confidence,
			technique: r.Technique, next: r.Next, rank: rankDelivery, judged: true, find: judged}
	}
	return out
}

// judgeCommand files a command once for each rule of Config.Commands that it
// matches.
func (c *collector) judgeCommand(e *keyspace.Event) bool {
	if c.commands == nil || len(e.Args) == 0 {
		return true
	}
	c.matched = c.commands.Judge(e, c.matched[:0])
	slices.Sort(c.matched)
	for _, i := range slices.Compact(c.matched) {
		name := bytes.ToUpper(e.Args[0])
		if !c.plain(e, labelCommand, WhereArgument, name, commandText(e.Args)) {
			return false
		}
		c.cur.leaves[len(c.cur.leaves)-1].judged = int32(i) + 1
	}
	return true
}

// judgedLeaf reports a command for the rule that it was filed for. What else is
// in it was found where its arguments stand.
func (w *worker) judgedLeaf() {
	value := w.b.bytes(w.leaf.value)
	w.start()
	w.frags[0] = fragment{data: value, to: len(value), inPlace: true}
	w.budget.reset(len(value))
	w.report(w.s.commandRules[w.leaf.judged-1], &w.frags[0], 0, len(value))
	w.keep(true)
}

// judgeValue asks Config.Values about a value: as it stands in the file, and each
// time that a container gave other bytes.
func (w *worker) judgeValue(f *fragment) {
	if (f.isName || f.inName) && !w.s.config.Names || f.parent != nil && !f.fresh || w.probe.collecting || w.aws.seeking {
		return
	}
	err := w.s.config.Values.Judge(f.data, func(rule, from, to int) {
		w.report(w.s.valueRules[rule], f, from, to)
	})
	if err != nil {
		w.limited(judgeFailure)
	}
}

// judgeFailure is what is counted of values that a judge gave up on.
const judgeFailure = "value rules"
