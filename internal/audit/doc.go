// Package audit judges a server by its files: for each of ten threats, what they
// say of it. It looks at configuration and users as they take effect, at units,
// manifests and firewall rules around the server, at the modes and the encryption
// of what it stores, and at the data itself.
//
// A check passes or fails on what was read, and is unknown where the files cannot
// tell; what only a running host knows is unknown for an image of one.
//
//	model.go       checks, answers, results
//	run.go         which servers there are, running the checks
//	subject.go     one server with all that surrounds it
//	server.go      what holds: configuration and users combined
//	unit.go, container.go, networkpolicy.go, monitoring.go, client.go, mount.go,
//	certificate.go, password.go, guess.go, data.go, immutable.go, sequence.go,
//	backups.go, baseline.go
//	               what is read beside the configuration
//	firewall.go, nftables.go, iptables.go, firewalld.go
//	               the way of a connection through the rules
//	pair.go        a replica beside its primary
//	live.go, running.go
//	               a running server
//	threat*.go     the checks, one file a threat
package audit
