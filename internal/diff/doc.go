// Package diff tells what differs between two data sets: which keys were added,
// removed and changed, and inside of a key which fields, members, elements, entries,
// consumer groups and expiries.
//
// Each side is read twice. The first reading makes a record of each key, its name and
// a digest of its value that does not depend on the order of its elements or on how
// they are encoded; the records of both sides, sorted, say which keys differ. The
// second makes a record of each element of those that both have, and these, sorted,
// say in what. Records that do not fit in memory are spilled, encrypted: neither the
// number of keys nor the size of one bounds what can be compared. Digests are keyed
// anew in each run, so that no input can make two values look the same.
//
//	walk.go     the elements of a key, whatever its type, and their digests
//	record.go   what is sorted
//	diff.go     the two readings, and comparing
//	stat.go     differences by prefix
//	text.go, json.go, csv.go   one format a file
package diff
