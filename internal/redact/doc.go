// Package redact replaces the secrets of a data set by placeholders of the same
// length and shape, so that what is left can be shared: with an investigator, with
// whoever needs test data.
//
// A [Redactor] first learns what there is to be replaced: it has the events scanned,
// and then scanned again as they will be, of these only the keys in which something was
// found, until nothing is any more. What is
// found again although its secret was replaced, because the value around it gives it
// away, is replaced in larger pieces: the whole string, then all strings of the key. What
// is found even then is left out.
// [Redactor.Seq] then yields the events with all that replaced, wherever it stands:
// in names of keys and fields, members, values, names of consumers, code of
// functions, arguments of commands, and behind escapes, UTF-16, base64, hexadecimal and
// compression, which are encoded anew; what cannot be is replaced as a whole. The
// scanner is asked for the secrets, too, since it opens more, but not for them alone:
// it opens what looks like something, and a secret may lie in what does not.
//
//	redact.go       learning
//	apply.go        the events with all that replaced
//	secrets.go      the secrets, and finding any of them in a text at once
//	table.go        hashes in little memory
//	judge.go        finding them in all that the scanner opens
//	placeholder.go  what stands in a secret's place
//	names.go        names that must stay different
//	traits.go       what a look at a string tells, and room for what comes out of it
//	container.go    secrets behind an encoding, layer by layer
//	compressed.go   what is compressed
//	untold.go       what is compressed by what has no mark of its own
//	radix.go        base64, hexadecimal and base32
//	base85.go       base85
//	latin1.go       bytes that are written as characters
//	escapes.go      JSON, URLs, XML, mail
//	utf16.go        UTF-16
package redact
