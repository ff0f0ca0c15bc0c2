// Package generated holds the scanner against data that real client libraries
// have serialised and stored through real servers: secrets of every category in
// every container, sessions and jobs of web frameworks, traces of attacks, and
// decoys that look like all of these. All of it is made anew in each run, from a
// seed that the test prints; VALKEYFS_SEED repeats one. VALKEYFS_DECOYS is how
// many decoy keys there are. The package has tests only.
package generated
