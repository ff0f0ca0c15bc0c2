// Package sigma judges the commands of logs by Sigma rules
// (https://sigmahq.io/docs/basics/rules.html).
//
// A rule is for logsource product valkey or redis. Its fields are those of a
// command as it stands in the log:
//
//	command      name, in upper case
//	subcommand   of CONFIG, ACL and other containers, in upper case
//	args         arguments behind the name; a value matches if it matches one
//	commandline  name and arguments, joined by spaces
//	key          names of keys, as COMMAND says where they stand
//	db, argc     numbers
//	source       path of the file
//
// What a rule says that cannot be honoured – an unknown field or modifier, an
// aggregation, a timeframe – is an error with its place, never ignored. Regular
// expressions are RE2's, so that matching takes linear time.
package sigma
