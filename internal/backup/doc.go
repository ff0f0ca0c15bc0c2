// Package backup makes sealed backups of a data directory, and checks, restores,
// lists and prunes them.
//
// A backup is a set: sealed members, a sealed inner manifest and a public
// manifest, all in one directory of a [Store],
//
//	LABEL/ID/m0001.zst.age …       what was captured, zstd inside age
//	LABEL/ID/inner.zst.age         names, plaintext hashes, versions, the summary of a scan
//	LABEL/ID/manifest.json.minisig the signature, if there is a key
//	LABEL/ID/manifest.json         sizes and hashes of the ciphertexts; written last
//
// so that a set without manifest.json is none. Hashes of plaintext and what a
// scan found stand in the sealed manifest: the former would confirm guesses, the
// latter tell a thief which set pays. Each manifest holds the hash of the one
// before it under the same label. What is pruned leaves its manifest behind as
// pruned.json, so that the chain can be followed still.
//
//	manifest.go      the two manifests
//	store*.go        where sets lie: a directory, a tar stream, S3
//	capture.go       a live data directory, held by descriptors
//	replica.go       a server's data set, as a replica gets it
//	state.go         what a server says of itself
//	version.go       which snapshots a server reads
//	inspect.go       what a member holds, and whether it is whole
//	fan.go           one reading, several consumers
//	create.go        capture to set
//	open.go, verify.go, chain.go, restore.go, place.go, drill.go, retention.go
//
// Nothing here prints, asks, or reads the clock: the time comes as an option.
package backup
