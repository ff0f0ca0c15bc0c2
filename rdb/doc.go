// Package rdb reads the snapshots of Redis and Valkey as a stream of
// [keyspace.Event]s: every version from REDIS0001 to REDIS0015, VALKEY080 and
// VALKEY081, and the VCS envelope around them.
//
// A [Reader] holds a window of the file, never a whole value: a hash of fifty
// million fields or a string of half a gigabyte costs what a small one costs,
// compressed or not. Every length in the file is taken for a claim.
//
// Names of types, opcodes and encodings are those of Valkey's src/rdb.h; the
// source of each layout is noted beside its decoder.
package rdb
