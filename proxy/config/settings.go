package config

import (
	"strings"
	"time"
)

// Setting is a row of the table: one thing an operator can decide.
type Setting struct {
	Name    string   // as in --name, without the dashes
	Group   string   // the heading it stands under in the help
	Arg     string   // what stands for its value in the help; "": a switch
	Default string   // as the operator would write it; "": none
	Many    bool     // may be given several times, or once with commas
	Secret  bool     // its value is never printed
	Choices []string // the words it takes, when it takes only those; a name follows where one ends in a colon
	Usage   string

	value
}

// value is how a setting's words come into a Config and out of it again.
type value struct {
	read func(c *Config, word string) error // once for each word
	show func(c *Config) []string           // words that read takes
	veil func(c *Config) string             // with Secret: what may be seen of it; nil: nothing
}

// Switch says whether the setting stands alone, without a value.
func (s *Setting) Switch() bool { return s.Arg == "" }

// Env is the environment variable that gives the setting when its flag does
// not: MULTISERVER_IDLE_TIMEOUT for --idle-timeout.
func (s *Setting) Env() string { return envName(s.Name) }

// The groups, in the order of the help.
const (
	groupTraffic = "Traffic"
	groupSpawn   = "The app's processes"
	groupTLS     = "TLS"
	groupBalance = "Balancing"
	groupTime    = "Timeouts"
	groupLimits  = "Limits"
	groupHealth  = "Health of upstreams"
	groupConns   = "Connections to upstreams"
	groupCache   = "Cache"
	groupHub     = "Hub"
	groupHeaders = "Headers"
	groupOperate = "Operation"
)

const (
	day      = 24 * time.Hour
	longest  = 366 * day // beyond, a typing error; and deadlines would overflow
	shortest = time.Millisecond

	checkEvery = 5 * time.Second // with a path, unless --health-interval says otherwise
	mostChecks = 1000            // in a row; beyond, a typing error
)

// Settings is the table, in the order of the help.
var Settings = []Setting{
	{Name: "listen", Group: groupTraffic, Arg: "ADDR[;accept-proxy]", Default: ":8080", Many: true,
		Usage: "where clients connect: `:8080`, `127.0.0.1:8080`, `unix:/path`; `none`: by TLS only; " +
			"`accept-proxy`: only `--trusted-proxies` do, and say by PROXY protocol (v1 or v2) for whom",
		value: listens},
	{Name: "upstream", Group: groupTraffic, Arg: "URL[;weight=N][;max=N][;backup][;send-proxy=V]", Many: true,
		Usage: "where requests go: `http://host:port`, `https://host`, `unix:/path`; in HTTP/2, as gRPC wants it: `h2c://host:port`, `h2://host` (by TLS), `unix+h2c:/path`; " +
			"`srv+http://name`, `srv+h2c://name`, …: as its SRV records say; " +
			"`weight`: its share, `max`: exchanges at once, `backup`: only while no other can be had, " +
			"`send-proxy`: tell it each client's address by PROXY protocol `v1` or `v2`, on a connection for each request",
		value: upstreams},

	{Name: "spawn", Group: groupSpawn, Arg: "N", Default: "",
		Usage: "run the app as so many processes, which are upstreams: `--spawn 4 -- node app.js`; `auto`: one on each core. Each is given PORT (or MULTISERVER_SOCKET, as it likes) " +
			"to listen on and MULTISERVER_INSTANCE, from 0; `{port}`, `{socket}` and `{instance}` in the command are filled in",
		value: spawnCount},
	{Name: "spawn-command", Group: groupSpawn, Arg: "LINE",
		Usage: "their command, where it does not stand behind `--`; quotes as in a shell",
		value: spawnCommand},
	{Name: "spawn-dir", Group: groupSpawn, Arg: "DIR", Default: none,
		Usage: "where they run; else here",
		value: spawnText(func(s *Spawn) *string { return &s.Dir })},
	{Name: "spawn-user", Group: groupSpawn, Arg: "NAME", Default: none,
		Usage: "whom they run as, when we are root; else as we do",
		value: spawnText(func(s *Spawn) *string { return &s.User })},
	{Name: "spawn-socket", Group: groupSpawn,
		Usage: "give them a Unix socket only, and no port",
		value: spawned(toggle(func(c *Config) *bool { return &c.Spawn.Socket }))},
	{Name: "spawn-listen-fds", Group: groupSpawn,
		Usage: "hand them a listener that is open already, as descriptor 3 (LISTEN_FDS, LISTEN_PID: systemd's socket activation); they are ready once they answer a request",
		value: spawned(toggle(func(c *Config) *bool { return &c.Spawn.Handed }))},
	{Name: "spawn-ready-timeout", Group: groupSpawn, Arg: "D", Default: "30s",
		Usage: "to take a connection, or pass `--health-path`, once started; none gets requests before",
		value: spawned(duration(shortest, func(c *Config) *time.Duration { return &c.Spawn.Ready }))},
	{Name: "spawn-stop-signal", Group: groupSpawn, Arg: "SIGNAL", Default: stopSignals[0], Choices: stopSignals,
		Usage: "by which one and all that it began are told to end, once their requests have ended",
		value: spawned(word(stopSignals, func(c *Config) *string { return &c.Spawn.StopSignal }))},
	{Name: "spawn-stop-timeout", Group: groupSpawn, Arg: "D", Default: "10s",
		Usage: "to end, once told; then they are killed",
		value: spawned(duration(shortest, func(c *Config) *time.Duration { return &c.Spawn.Stop }))},
	{Name: "spawn-surge", Group: groupSpawn, Arg: "N", Default: "1",
		Usage: "how many are replaced at once by a rolling restart: SIGHUP, `POST /api/spawn/restart` on `--admin`, `--spawn-watch`",
		value: spawned(count(1, mostInstances, func(c *Config) *int { return &c.Spawn.Surge }))},
	{Name: "spawn-watch", Group: groupSpawn, Arg: "GLOB", Default: none, Many: true,
		Usage: "files whose change restarts them in turn, for development: `src/**/*.js`",
		value: spawnWatch},
	{Name: "spawn-max-memory", Group: groupSpawn, Arg: "SIZE", Default: "0",
		Usage: "resident, with all that it began; one that has more is replaced; 0: no limit",
		value: spawned(size(0, 1<<50, func(c *Config) *int64 { return &c.Spawn.MaxMemory }))},
	{Name: "spawn-max-age", Group: groupSpawn, Arg: "D", Default: "0s",
		Usage: "after which one is replaced; 0s: no limit",
		value: spawned(duration(0, func(c *Config) *time.Duration { return &c.Spawn.MaxAge }))},
	{Name: "spawn-max-requests", Group: groupSpawn, Arg: "N", Default: "0",
		Usage: "after which one is replaced; 0: no limit",
		value: spawned(count(0, 1<<40, func(c *Config) *int { return &c.Spawn.MaxRequests }))},
	{Name: "spawn-hook", Group: groupSpawn, Arg: "HOOK", Default: none,
		Usage: "told of each event (boot, ready, crash, restart, stop, rolled, roll-failed) in JSON: a URL, by POST, or a command for sh, on its standard input",
		value: spawnText(func(s *Spawn) *string { return &s.Hook })},

	{Name: "tls-cert", Group: groupTLS, Arg: "FILE", Many: true,
		Usage: "certificate in PEM, with those between it and its root; chosen by the name that a client asks for, else the first",
		value: tlsCerts},
	{Name: "tls-key", Group: groupTLS, Arg: "FILE", Many: true,
		Usage: "its private key, in the same order; none at all: each is in its certificate's file",
		value: tlsKeys},
	{Name: "tls-passphrases", Group: groupTLS, Arg: "FILE", Default: none,
		Usage: "opens encrypted keys: a passphrase in each line, tried in turn",
		value: passphrases},
	{Name: "acme", Group: groupTLS, Arg: "NAME", Many: true,
		Usage: "order a certificate for that name by ACME and renew it, under the authority's terms; port 80 or 443 of the name must lead here",
		value: acmeNames},
	{Name: "acme-email", Group: groupTLS, Arg: "ADDRESS", Default: none,
		Usage: "told to the authority, which may warn there",
		value: acmeEmail},
	{Name: "acme-ca", Group: groupTLS, Arg: "URL", Default: letsEncrypt,
		Usage: "the authority's directory",
		value: acmeCA},
	{Name: "acme-ca-root", Group: groupTLS, Arg: "FILE", Default: none,
		Usage: "certificates in PEM that vouch for the authority's server; else those that this machine trusts",
		value: withACME(path(func(c *Config) *string { return &c.TLS.ACME.Roots }))},
	{Name: "acme-dir", Group: groupTLS, Arg: "DIR",
		Usage: "where account, keys and certificates are kept; else, with `--redis`, there, for all nodes (private keys, too: it is worth a password and TLS, and must evict nothing that does not expire), " +
			"or `" + acmeFolder + "` in $XDG_DATA_HOME or ~/.local/share",
		value: acmeDir},
	{Name: "acme-challenge", Group: groupTLS, Arg: "WAY", Default: challenges[0], Choices: challenges,
		Usage: "how names are proved: `tls-alpn-01` (port 443), `http-01` (port 80), `any`: as the listeners allow",
		value: withACME(word(challenges, func(c *Config) *string { return &c.TLS.ACME.Challenge }))},
	{Name: "tls-self-signed", Group: groupTLS,
		Usage: "a certificate for localhost, made at each start",
		value: withTLS(toggle(func(c *Config) *bool { return &c.TLS.SelfSigned }))},
	{Name: "tls-listen", Group: groupTLS, Arg: "ADDR[;accept-proxy]", Many: true,
		Usage: "where clients connect by TLS (1.2 and 1.3), as with `--listen`: " + tlsAddr + " if there is a certificate",
		value: tlsListens},
	{Name: "tls-client-ca", Group: groupTLS, Arg: "FILE", Default: none,
		Usage: "certificates in PEM; clients must show one that these vouch for",
		value: withTLS(path(func(c *Config) *string { return &c.TLS.ClientCA }))},
	{Name: "https-redirect", Group: groupTLS,
		Usage: "answer requests that come without TLS by 308 to https, path and query kept",
		value: withTLS(toggle(func(c *Config) *bool { return &c.TLS.Redirect }))},
	{Name: "https-port", Group: groupTLS, Arg: "N",
		Usage: "the port it sends them to, and where HTTP/3 is, where clients see another than that of the first `--tls-listen`",
		value: httpsPort},
	{Name: "hsts", Group: groupTLS, Arg: "D", Default: "0s",
		Usage: "add Strict-Transport-Security to answers by TLS: browsers come by nothing else for so long, such as 8760h; 0s: off",
		value: hsts},
	{Name: "http3", Group: groupTLS,
		Usage: "speak HTTP/3 as well, by UDP at the ports of `--tls-listen`, and say so by Alt-Svc",
		value: withTLS(toggle(func(c *Config) *bool { return &c.TLS.HTTP3 }))},
	{Name: "upstream-ca", Group: groupTLS, Arg: "FILE", Default: none,
		Usage: "certificates in PEM that vouch for `https` upstreams; else those that this machine trusts",
		value: toTLS(path(func(c *Config) *string { return &c.UpstreamTLS.CA }))},
	{Name: "upstream-cert", Group: groupTLS, Arg: "FILE", Default: none,
		Usage: "certificate in PEM that is shown to them",
		value: toTLS(path(func(c *Config) *string { return &c.UpstreamTLS.Identity.Cert }))},
	{Name: "upstream-key", Group: groupTLS, Arg: "FILE", Default: none,
		Usage: "its private key; none: in the same file",
		value: toTLS(path(func(c *Config) *string { return &c.UpstreamTLS.Identity.Key }))},
	{Name: "upstream-sni", Group: groupTLS, Arg: "NAME", Default: none,
		Usage: "name that they are asked for and must prove; else that of the URL",
		value: upstreamSNI},
	{Name: "upstream-insecure", Group: groupTLS,
		Usage: "take any certificate of theirs: whoever is in between can read and change everything",
		value: toTLS(toggle(func(c *Config) *bool { return &c.UpstreamTLS.Insecure }))},

	{Name: "balance", Group: groupBalance, Arg: "NAME", Default: balances[0], Choices: balances,
		Usage: "how the next upstream is chosen: `" + strings.Join(balances, "`, `") + "`",
		value: word(balances, func(c *Config) *string { return &c.Balance })},
	{Name: "hash-on", Group: groupBalance, Arg: "PART", Default: hashParts[0], Choices: hashParts,
		Usage: "with `hash`: what keeps to one upstream: `client` (address), `uri`, `path`, `host`, `header:NAME`, `query:NAME`, `cookie:NAME`",
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

	{Name: "connect-timeout", Group: groupTime, Arg: "D", Default: "3s",
		Usage: "to open a connection to an upstream",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Connect })},
	{Name: "timeout", Group: groupTime, Arg: "D", Default: "60s",
		Usage: "from a request's last byte to the first of its answer",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Response })},
	{Name: "idle-timeout", Group: groupTime, Arg: "D", Default: "60s",
		Usage: "between two bytes of a body, on either side",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.Idle })},
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

	{Name: "max-concurrent", Group: groupLimits, Arg: "N", Default: "0",
		Usage: "exchanges under way at once, WebSockets not counted; more wait; 0: no limit",
		value: count(0, maxAtOnce, func(c *Config) *int { return &c.MaxConcurrent })},
	{Name: "queue", Group: groupLimits, Arg: "N", Default: "1024",
		Usage: "exchanges that may wait for a place, there and at upstreams with `;max`; more are answered 503",
		value: count(0, maxAtOnce, func(c *Config) *int { return &c.Queue })},
	{Name: "queue-timeout", Group: groupLimits, Arg: "D", Default: "10s",
		Usage: "for how long each; then it is answered 503",
		value: duration(shortest, func(c *Config) *time.Duration { return &c.QueueTimeout })},
	{Name: "max-connections", Group: groupLimits, Arg: "N", Default: "65536",
		Usage: "client connections at once; more are refused",
		value: count(1, maxAtOnce, func(c *Config) *int { return &c.MaxConnections })},
	{Name: "max-head", Group: groupLimits, Arg: "SIZE", Default: "64KiB",
		Usage: "of a request's head, and of an answer's",
		value: size(1<<10, 1<<20, func(c *Config) *int { return &c.MaxHead })},
	{Name: "max-body", Group: groupLimits, Arg: "SIZE", Default: "0",
		Usage: "of a request's body; 0: no limit",
		value: size(0, 1<<62, func(c *Config) *int64 { return &c.MaxBody })},

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

	{Name: "cache", Group: groupCache, Arg: "SIZE", Default: "0",
		Usage: "memory for stored answers (RFC 9111); at least " + showSize(leastCache) + "; 0: none are stored",
		value: cacheSize},
	{Name: "cache-object", Group: groupCache, Arg: "SIZE", Default: "8MiB",
		Usage: "longer bodies are not stored; at most half of `--cache`",
		value: cached(size(leastObject, mostObject, func(c *Config) *int64 { return &c.Cache.Object }))},
	{Name: "cache-path", Group: groupCache, Arg: "PATTERN", Default: "/*", Many: true,
		Usage: "only what matches is stored: `/exact`, `/prefix/*`, `~regexp`, each also after a host: `example.org/*`, `*.example.org/*`",
		value: list(checkPattern, func(c *Cache) *[]string { return &c.Paths })},
	{Name: "cache-never", Group: groupCache, Arg: "PATTERN", Default: none, Many: true,
		Usage: "what matches is not stored, whatever else does",
		value: listOrNone(checkPattern, func(c *Cache) *[]string { return &c.Never })},
	{Name: "cache-vary", Group: groupCache, Arg: "NAME", Default: none, Many: true,
		Usage: "request field that every stored answer varies by, besides those that it names itself",
		value: listOrNone(checkField, func(c *Cache) *[]string { return &c.Vary })},
	{Name: "cache-ttl", Group: groupCache, Arg: "D", Default: "0s",
		Usage: "for how long answers are fresh that do not say so themselves",
		value: cached(duration(0, func(c *Config) *time.Duration { return &c.Cache.TTL }))},
	{Name: "cache-drop-query", Group: groupCache, Arg: "NAME", Default: none, Many: true,
		Usage: "query parameter that does not tell answers apart: `fbclid`, `utm_*`; upstreams still see it",
		value: listOrNone(checkParameter, func(c *Cache) *[]string { return &c.DropQuery })},
	{Name: "cache-sort-query", Group: groupCache,
		Usage: "nor does the order of parameters of different names",
		value: cached(toggle(func(c *Config) *bool { return &c.Cache.SortQuery }))},
	{Name: "cache-no-cookies", Group: groupCache,
		Usage: "never store an answer with Set-Cookie, whatever it allows",
		value: cached(toggle(func(c *Config) *bool { return &c.Cache.NoCookies }))},
	{Name: "cache-ignore-requests", Group: groupCache,
		Usage: "Cache-Control and Pragma of clients do not count, so that none can force a fetch",
		value: cached(toggle(func(c *Config) *bool { return &c.Cache.IgnoreRequests }))},
	{Name: "cache-wait", Group: groupCache, Arg: "D", Default: "5s",
		Usage: "how long a request waits for another's fetch of the same, before it fetches for itself; 0s: none does",
		value: cached(duration(0, func(c *Config) *time.Duration { return &c.Cache.Wait }))},
	{Name: "cache-stale", Group: groupCache, Arg: "D", Default: "10s",
		Usage: "how long beyond its freshness an answer is used while no upstream answers, unless it says itself (stale-if-error) or forbids it; 0s: not at all",
		value: cached(duration(0, func(c *Config) *time.Duration { return &c.Cache.Stale }))},
	{Name: "cache-file", Group: groupCache, Arg: "FILE", Default: none,
		Usage: "keeps what is in memory over a restart",
		value: cacheFile},
	{Name: "purge-from", Group: groupCache, Arg: "CIDR", Default: "127.0.0.0/8,::1", Many: true,
		Usage: "who may send PURGE; `none`: nobody",
		value: purgeFrom},
	{Name: "redis", Group: groupCache, Arg: "URL", Default: none, Secret: true,
		Usage: "second tier, shared by all nodes: `redis://[user:password@]host:port[/db]`, `redis-sentinel://host:port,host:port/name`, `redis-cluster://host:port,host:port`, each with TLS as `rediss…`; best given as " + envName("redis"),
		value: redisURL},
	{Name: "redis-timeout", Group: groupCache, Arg: "D", Default: "20ms",
		Usage: "for a read of the cache; then it is a miss",
		value: withRedis(between(shortest, time.Minute, func(c *Config) *time.Duration { return &c.Cache.Redis.Timeout }))},
	{Name: "redis-prefix", Group: groupCache, Arg: "WORD", Default: "multiserver",
		Usage: "what all keys and channels begin with; the same on all nodes of a service, another for each service",
		value: redisPrefix},

	{Name: "hub", Group: groupHub, Arg: "PATH", Default: none, Many: true,
		Usage: "WebSockets there, `/exact` or `/prefix/*`, are members of channels: what is published to one reaches them, on whichever node they hang; " +
			"an event stream of the same is at `PATH/events`",
		value: hubWide(hubWords(none, checkHubPath, func(h *Hub) *[]string { return &h.Paths }))},
	{Name: "hub-mode", Group: groupHub, Arg: "MODE", Default: hubModes[0], Choices: hubModes,
		Usage: "`bridge`: what an upstream says to everyone is shown to the clients of all others as well, for apps that know nothing of channels",
		value: hubMode},
	{Name: "hub-channels", Group: groupHub, Arg: "NAME", Default: "all,path:{path}", Many: true,
		Usage: "that each client is in, with `{path}`, `{host}`, `{query.NAME}`, `{session.KEY}`, `{session}` (its id); its upstream names others by X-WS-Channels or GRIP",
		value: hubbed(hubWords(none, checkChannel, func(h *Hub) *[]string { return &h.Channels }))},
	{Name: "hub-origins", Group: groupHub, Arg: "ORIGIN", Default: SameOrigin, Many: true,
		Usage: "whose pages may connect: `same` as the host asked for, `https://app.example.org`, `https://*.example.org`, `any`; what is no browser names none, and may",
		value: hubbed(hubWords("", checkOrigin, func(h *Hub) *[]string { return &h.Origins }))},
	{Name: "hub-budget", Group: groupHub, Arg: "SIZE", Default: "256KiB",
		Usage: "of messages that may wait for one client",
		value: hubbed(size(4<<10, 1<<30, func(c *Config) *int { return &c.Hub.Budget }))},
	{Name: "hub-slow", Group: groupHub, Arg: "WAY", Default: hubSlow[0], Choices: hubSlow,
		Usage: "what becomes of one that is over it: `close` (1013), `drop-oldest`, `drop-newest`",
		value: hubWide(word(hubSlow, func(c *Config) *string { return &c.Hub.Slow }))},
	{Name: "hub-history", Group: groupHub, Arg: "CHANNEL[;size=N][;ttl=D]", Default: none, Many: true,
		Usage: "channels whose messages are kept, such as `room:*;size=100;ttl=1h`, for clients that come back with `?since=ID` or Last-Event-ID, and nodes that lost their link",
		value: hubHistory},
	{Name: "hub-max-channels", Group: groupHub, Arg: "N", Default: "128",
		Usage: "of one connection",
		value: hubWide(count(1, 1<<16, func(c *Config) *int { return &c.Hub.MaxChannels }))},
	{Name: "hub-max-members", Group: groupHub, Arg: "N", Default: "0",
		Usage: "connections in one channel, on one node; 0: no limit",
		value: hubWide(count(0, maxAtOnce, func(c *Config) *int { return &c.Hub.MaxMembers }))},
	{Name: "hub-max-per-address", Group: groupHub, Arg: "N", Default: "0",
		Usage: "connections of one client address, on one node; 0: no limit",
		value: hubWide(count(0, maxAtOnce, func(c *Config) *int { return &c.Hub.MaxPerAddr }))},
	{Name: "hub-broker", Group: groupHub, Arg: "NAME", Default: hubBrokers[0], Choices: hubBrokers,
		Usage: "what carries messages between nodes; `auto`: Redis if there is `--redis`, else `memory`: nothing does",
		value: hubWide(word(hubBrokers, func(c *Config) *string { return &c.Hub.Broker }))},

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

	{Name: "config", Group: groupOperate, Arg: "FILE",
		Usage: "YAML file with any of these settings by their names, and with pools and routes; flags and variables beat it",
		value: configFile},
	{Name: "admin", Group: groupOperate, Arg: "ADDR", Default: off,
		Usage: "where pprof, /metrics, /healthz and /readyz are served",
		value: admin},
	{Name: "admin-token", Group: groupOperate, Arg: "TOKEN", Secret: true,
		Usage: "asked of every admin request; best given as " + envName("admin-token"),
		value: token},
	{Name: "access-log", Group: groupOperate, Arg: "FILE", Default: off,
		Usage: "a line for each request; `-`: standard output; to syslog (RFC 5424): `syslog+unix:/dev/log`, `syslog+udp://host:514`, `syslog+tcp://host:601`, " +
			"each with `;facility=local7` or another; SIGUSR1 opens a file anew",
		value: accessLog},
	{Name: "access-log-format", Group: groupOperate, Arg: "FORM", Default: logForms[0], Choices: logForms,
		Usage: "of those lines: `" + strings.Join(logForms, "`, `") + "`: an object each",
		value: logged(word(logForms, func(c *Config) *string { return &c.AccessLog.Form }))},
	{Name: "access-log-fields", Group: groupOperate, Arg: "NAME", Many: true,
		Usage: "what they say, and in which order, in combined behind what that has: `" + strings.Join(logFields, "`, `") + "`NAME; else what is useful",
		value: accessLogFields},
	{Name: "access-log-sample", Group: groupOperate, Arg: "N", Default: "1",
		Usage: "log only one of N requests that went well, and all that did not (400 and above, or cut short)",
		value: logged(count(1, mostSample, func(c *Config) *int { return &c.AccessLog.Sample }))},
	{Name: "access-log-secrets", Group: groupOperate,
		Usage: "log query values, cookies and credentials as they are, and not as `***` where their names tell what they are",
		value: logged(toggle(func(c *Config) *bool { return &c.AccessLog.Secrets }))},
	{Name: "log-level", Group: groupOperate, Arg: "LEVEL", Default: levels[1], Choices: levels,
		Usage: "the least that is logged to standard error",
		value: logLevel},
}

// The words for "nothing", which beat a value from the environment.
const (
	off  = "off"
	none = "none"
)
