// Package report writes what a scan found: a [Writer] a format, each in a file of
// its own. Writers stream; what they gather is bounded ([Tally]). What an audit says
// is [Checks], which the same formats take whole.
//
// Keys, file names and all else that comes out of an input is an attacker's
// choice of bytes. No format passes on what a terminal would obey: control
// characters, escape sequences, marks that turn the direction of text.
package report
