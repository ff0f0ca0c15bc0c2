// Package crypt seals and opens: a sealed file is zstd inside age, so that
// `age -d | zstd -d` opens it, and anything that pipeline can open is opened.
// All of it streams; plaintext is never written anywhere but where the caller
// says.
//
//	identity.go, recipient.go   the keys that open and those that seal
//	keygen.go                   making them
//	open.go                     age, reading
//	seal.go                     zstd and age, writing; sealing anew for others
//	frames.go, unframe.go       zstd in independent frames, on all cores
//	structure.go                what of a sealed file can be checked without a key
//	signature.go                minisign signatures
//
// Nothing here prints, prompts or calls the network; what has to be asked of a
// person is asked through [UI]. Errors hold neither key material nor data of
// the input. Plugins of age are programs that age's library runs.
package crypt
