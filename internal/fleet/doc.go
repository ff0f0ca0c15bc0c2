// Package fleet scans many inputs on many machines: inputs are submitted to a
// database, any number of workers claim one at a time, and one report covers all.
//
// River queues the work; this package keeps beside River's tables what each input
// is, who holds it and what was found. An input is worked on at least once, and
// its findings are replaced in one transaction by whoever holds its lease, so
// that exactly one copy stands. Findings are stored masked, under keyed ids.
package fleet
