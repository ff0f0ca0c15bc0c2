// Package conf reads valkey.conf, redis.conf and sentinel.conf as the server
// reads them (Valkey: config.c, loadServerConfigFromString; sds.c,
// sdssplitargs), and knows what holds where they are silent.
//
//	split.go     a line's words
//	read.go      lines, files, includes
//	config.go    what holds: last wins, aliases, defaults
//	version.go   which server
//	defaults.tsv what CONFIG GET says on servers without a configuration file
package conf
