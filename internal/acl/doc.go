// Package acl knows what the users of a server may do: it applies the rules of
// users.acl and of "user" lines as acl.c does, from left to right, for the
// commands and categories that each version has.
//
//	table.go      commands and their categories, by version
//	commands.tsv  what COMMAND says on real servers
//	user.go       users, selectors, what they allow
//	rule.go       the rules
//	file.go       users.acl
package acl
