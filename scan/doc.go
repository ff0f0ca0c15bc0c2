// Package scan finds credentials, password hashes, private keys, sessions,
// personal data and traces of attacks in a stream of keyspace events, and says
// where each stands: in which key, which field, behind which containers.
//
// # How it works
//
// One goroutine ranges over the events and copies their names and values into
// batches; workers scan batches; the caller's goroutine receives the findings
// in the order of the input, the same for any number of workers. Memory is
// bounded by the number of batches in flight.
//
// Each name and each value is a fragment of its own. All bytes of a batch pass
// once through one automaton that knows the keywords of every rule (matcher);
// only where a keyword stands is a rule asked. What a value contains – JSON,
// form data, base64, compressed data, in any nesting – is opened by decoders
// (decode.go), each of which hands on smaller fragments with the name that they
// bear. A rule is either one of the families of this package (family.go) or
// comes from a TOML file of the gitleaks or betterleaks dialect (rulefile.go).
//
// Two kinds of findings need more than a text. Sessions and queues of web
// frameworks are judged at the end of a key, by all that its values say
// (session.go). Traces of attacks are rule families too (artefact.go), but what a
// file says by itself, where it lies and which commands its log holds, comes as
// leaves of its own (batch_file.go).
//
// Nothing here reads files, opens connections, prints, or looks at the clock.
package scan
