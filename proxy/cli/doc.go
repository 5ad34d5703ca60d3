// Package cli is the command line and nothing else: flags and environment
// become a config.Config, that becomes a server.Server, and signals stop it.
// It makes no decisions of its own. What a setting means, its default and its
// bounds are in proxy/config; what happens with a request is in proxy. purge
// and publish serve nothing: they ask the admin page of a server that runs, by
// remote.go.
//
// upgrade.go has a process take the place of this one, and upgrade_*.go is what
// belongs to that: what the new one is handed, how it arrives, what a service
// manager is told of it, the file with its number, and the command.
//
// Exit codes: 0 after a clean stop, 2 for a mistake in what was asked for,
// 1 for a failure of the world around it (a port taken, a name unknown).
package cli
