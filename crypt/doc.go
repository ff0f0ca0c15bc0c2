// Package crypt opens what age sealed: a stream goes in, its plaintext comes
// out as it is read, and no more than one chunk of it is held in memory.
//
// Identities are the private keys that open a file: native age identities, or
// unencrypted OpenSSH keys. Nothing here prints, prompts or calls the network,
// and no error holds key material or data of the input.
package crypt
