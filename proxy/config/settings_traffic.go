package config

import "time"

var trafficRows = []Setting{
	{Name: "listen", Group: groupTraffic, Arg: "ADDR[;accept-proxy]", Default: ":8080", Many: true,
		Usage: "where clients connect: `:8080`, `127.0.0.1:8080`, `unix:/path`; `fd:NAME`: a socket that systemd has opened; `none`: by TLS only; " +
			"`accept-proxy`: only `--trusted-proxies` do, and say by PROXY protocol (v1 or v2) for whom",
		value: listens},
	{Name: "upstream", Group: groupTraffic, Arg: "URL[;weight=N][;max=N][;backup][;pipeline=N][;send-proxy=V]", Many: true,
		Usage: "where requests go: `http://host:port`, `https://host`, `unix:/path`; in HTTP/2, as gRPC wants it: `h2c://host:port`, `h2://host` (by TLS), `unix+h2c:/path`; " +
			"`srv+http://name`, `srv+h2c://name`, …: as its SRV records say; " +
			"`weight`: its share, `max`: exchanges at once, `backup`: only while no other can be had, " +
			"`pipeline`: so many GETs of all clients may be under way on a connection that they share, for one that answers quickly, " +
			"`send-proxy`: tell it each client's address by PROXY protocol `v1` or `v2`, on a connection for each request",
		value: upstreams},
}

var timeRows = []Setting{
	{Name: "connect-timeout", Group: groupTime, Arg: "D", Default: "3s",
		Usage: "to open a connection to an upstream",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Connect })},
	{Name: "timeout", Group: groupTime, Arg: "D", Default: "60s",
		Usage: "from a request's last byte to the first of its answer",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Response })},
	{Name: "idle-timeout", Group: groupTime, Arg: "D", Default: "60s",
		Usage: "between two bytes of a body, on either side",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Idle })},
	{Name: "retries", Group: groupTime, Arg: "N", Default: "3",
		Usage: "other upstreams that a request is sent to, one after the other, where one fails and that is safe; at most 3; 0: none",
		value: count(0, mostRetries, func(c *Config) *int { return &c.Retries })},
	{Name: "header-timeout", Group: groupTime, Arg: "D", Default: "10s",
		Usage: "for a client's whole request head, from its first byte",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Head })},
	{Name: "keepalive-timeout", Group: groupTime, Arg: "D", Default: "75s",
		Usage: "for a client's connection between two requests",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.KeepAlive })},
	{Name: "tunnel-idle-timeout", Group: groupTime, Arg: "D", Default: "0s",
		Usage: "between two bytes of a WebSocket or a call of gRPC, either way; 0s: no limit, and who is gone is found by TCP's keep-alive",
		value: duration(0, func(c *Config) *time.Duration { return &c.TunnelIdle })},
	{Name: "drain-timeout", Group: groupTime, Arg: "D", Default: "30s",
		Usage: "for exchanges under way when told to stop, WebSockets among them, which hear of it in the last quarter; 0s cuts them",
		value: duration(0, func(c *Config) *time.Duration { return &c.Drain })},
}

var limitRows = []Setting{
	{Name: "max-concurrent", Group: groupLimits, Arg: "N", Default: "0",
		Usage: "exchanges under way at once, WebSockets not counted; more wait; 0: no limit",
		value: count(0, maxAtOnce, func(c *Config) *int { return &c.MaxConcurrent })},
	{Name: "queue", Group: groupLimits, Arg: "N", Default: "1024",
		Usage: "exchanges that may wait for a place, there and at upstreams with `;max`; more are answered 503",
		value: count(0, maxAtOnce, func(c *Config) *int { return &c.Queue })},
	{Name: "queue-timeout", Group: groupLimits, Arg: "D", Default: "10s",
		Usage: "for how long each; then it is answered 503",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.QueueTimeout })},
	{Name: "max-connections", Group: groupLimits, Arg: "N", Default: auto,
		Usage: "client connections at once; more are refused; `auto`: 65536, or as many as there are descriptors for, two for each",
		value: orAuto(count(1, maxAtOnce, func(c *Config) *int { return &c.MaxConnections }), func(c *Config) *int { return &c.MaxConnections })},
	{Name: "max-head", Group: groupLimits, Arg: "SIZE", Default: "64KiB",
		Usage: "of a request's head, and of an answer's",
		value: size(1<<10, 1<<20, func(c *Config) *int { return &c.MaxHead })},
	{Name: "max-body", Group: groupLimits, Arg: "SIZE", Default: "0",
		Usage: "of a request's body; 0: no limit",
		value: size(0, 1<<62, func(c *Config) *int64 { return &c.MaxBody })},
}

var headerRows = []Setting{
	{Name: "trusted-proxies", Group: groupHeaders, Arg: "CIDR", Default: none, Many: true,
		Usage: "whose X-Forwarded-* is believed, and whose PROXY headers: `10.0.0.0/8`, `192.0.2.1`",
		value: trusted},
	{Name: "upgrade", Group: groupHeaders, Arg: "NAME", Default: none, Many: true,
		Usage: "another protocol than websocket that clients and upstreams may switch to by Upgrade, as raw bytes that nobody checks; never `h2c`",
		value: upgrades},
	{Name: "via", Group: groupHeaders,
		Usage: "add Via to requests and answers",
		value: toggle(func(c *Config) *bool { return &c.Via })},
	{Name: "forwarded", Group: groupHeaders,
		Usage: "add Forwarded (RFC 7239) to requests",
		value: toggle(func(c *Config) *bool { return &c.Forwarded })},
	{Name: "error-pages", Group: groupHeaders, Arg: "DIR", Default: none,
		Usage: "directory of `502.html`, `503.html`, `5xx.html`, … for answers to failures",
		value: errorPages},
}
