package config

import (
	"strings"
	"time"
)

var balanceRows = []Setting{
	{Name: "balance", Group: groupBalance, Arg: "NAME", Default: balances[0], Choices: balances,
		Usage: "how the next upstream is chosen: `" + strings.Join(balances, "`, `") + "`",
		value: word(balances, func(c *Config) *string { return &c.Balance })},
	{Name: "hash-on", Group: groupBalance, Arg: "PART", Default: hashParts[0], Choices: hashParts,
		Usage: "with `hash`: what keeps to one upstream: `client` (address), `uri`, `path`, `host`, `header:NAME`, `query:NAME`, `cookie:NAME`, `session`",
		value: hashOn},
	{Name: "sticky-cookie", Group: groupBalance, Arg: "NAME", Default: "multiserver",
		Usage: "with `sticky`: the cookie that brings a client back to its upstream",
		value: stickyCookie},
	{Name: "sticky-ttl", Group: groupBalance, Arg: "D", Default: "0s",
		Usage: "how long a browser keeps that cookie; 0s: until it is closed",
		value: stickyTTL},
	{Name: "sticky-key", Group: groupBalance, Arg: "KEY", Secret: true,
		Usage: "signs that cookie, at least 16 bytes, the same on all nodes; else random at each start; best given as " + envName("sticky-key"),
		value: stickyKey},
	{Name: "sticky-session", Group: groupBalance,
		Usage: "with `sticky`: the session says where a client belongs, and no cookie, so that all nodes agree; who has none goes anywhere",
		value: stickySession},
}

var healthRows = []Setting{
	{Name: "max-fails", Group: groupHealth, Arg: "N", Default: "5",
		Usage: "failures and answers of 500, 502, 503, 504 in a row that put an upstream out for a while; 0: never",
		value: count(0, maxAtOnce, func(c *Config) *int { return &c.Health.MaxFails })},
	{Name: "fail-timeout", Group: groupHealth, Arg: "D", Default: "1s",
		Usage: "for how long the first time; each time twice as long, up to 1m",
		value: between(shortest, time.Minute, func(c *Config) *time.Duration { return &c.Health.FailTimeout })},
	{Name: "health-path", Group: groupHealth, Arg: "PATH", Default: none,
		Usage: "asked for by GET to check each upstream; 2xx and 3xx are well",
		value: healthPath},
	{Name: "health-interval", Group: groupHealth, Arg: "D",
		Usage: "between two checks: " + showDuration(checkEvery) + " if there is a path, else off; given without a path: a check only connects",
		value: healthInterval},
	{Name: "health-timeout", Group: groupHealth, Arg: "D", Default: "2s",
		Usage: "for a check's answer",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Health.Timeout })},
	{Name: "health-rise", Group: groupHealth, Arg: "N", Default: "2",
		Usage: "checks in a row that must go well to bring an upstream back",
		value: count(1, mostChecks, func(c *Config) *int { return &c.Health.Rise })},
	{Name: "health-fall", Group: groupHealth, Arg: "N", Default: "3",
		Usage: "checks in a row that must fail to take it out",
		value: count(1, mostChecks, func(c *Config) *int { return &c.Health.Fall })},
	{Name: "slow-start", Group: groupHealth, Arg: "D", Default: "0s",
		Usage: "in which an upstream that is back takes up its full share; 0s: at once",
		value: duration(0, func(c *Config) *time.Duration { return &c.Health.SlowStart })},
}

var connRows = []Setting{
	{Name: "resolve-interval", Group: groupConns, Arg: "D", Default: "10s",
		Usage: "between two look-ups of an upstream's name",
		value: duration(100*time.Millisecond, func(c *Config) *time.Duration { return &c.Resolve })},
	{Name: "resolver", Group: groupConns, Arg: "ADDR", Default: none,
		Usage: "DNS server that is asked for those names, such as `10.0.0.53` or `127.0.0.1:5353`; else as this machine is set up",
		value: resolver},
	{Name: "upstream-idle", Group: groupConns, Arg: "N", Default: "1024",
		Usage: "idle connections kept open to each upstream",
		value: count(0, maxAtOnce, func(c *Config) *int { return &c.Pool.MaxIdle })},
	{Name: "upstream-idle-timeout", Group: groupConns, Arg: "D", Default: "30s",
		Usage: "after which an idle one is closed; keep it below the upstream's own",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Pool.IdleAge })},
	{Name: "upstream-max-age", Group: groupConns, Arg: "D", Default: "1h",
		Usage: "after which a connection is not used again",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Pool.MaxAge })},
}
