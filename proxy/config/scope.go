package config

import "slices"

// Scope says where a setting may be given beside the top.
type Scope uint8

// The scopes. Whatever a pool or a route does not say is as at the top.
const (
	PerProcess Scope = iota // nowhere else
	PerPool
	PerRoute
)

var perPool = []string{
	"upstream",
	"spawn", "spawn-command", "spawn-dir", "spawn-user", "spawn-socket", "spawn-listen-fds", "spawn-ready-timeout", "spawn-stop-signal", "spawn-stop-timeout",
	"spawn-surge", "spawn-watch", "spawn-max-memory", "spawn-max-age", "spawn-max-requests", "spawn-hook",
	"upstream-ca", "upstream-cert", "upstream-key", "upstream-sni", "upstream-insecure",
	"balance", "hash-on", "sticky-cookie", "sticky-ttl", "sticky-key", "sticky-session",
	"connect-timeout", "queue", "queue-timeout",
	"max-fails", "fail-timeout", "health-path", "health-interval", "health-timeout", "health-rise", "health-fall", "slow-start",
	"resolve-interval", "resolver", "upstream-idle", "upstream-idle-timeout", "upstream-max-age",
}

var perRoute = []string{
	"timeout", "retries", "idle-timeout", "tunnel-idle-timeout", "max-body", "error-pages",
	"cache", "cache-object", "cache-path", "cache-never", "cache-vary", "cache-ttl", "cache-drop-query", "cache-sort-query",
	"cache-no-cookies", "cache-ignore-requests", "cache-wait", "cache-stale",
	"hub", "hub-mode", "hub-channels", "hub-origins", "hub-budget",
	"session", "session-on-error", "session-strict",
}

// Scope is where the setting may be given beside the top.
func (s *Setting) Scope() Scope {
	switch {
	case slices.Contains(perPool, s.Name):
		return PerPool
	case slices.Contains(perRoute, s.Name):
		return PerRoute
	}
	return PerProcess
}
