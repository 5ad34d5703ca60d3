package config

import (
	"log/slog"
	"net/netip"
	"time"

	"multiserver/proxy/certs"
)

// Config is everything the operator decided, checked and with the defaults
// filled in. It is never changed once it is built: a reload builds another.
type Config struct {
	File   string  // where a part of this was; "": nowhere
	Watch  bool    // File is read again when it has changed
	Pools  []Group // at least one, with names of their own
	Routes []Route // at least one

	Listen    []Address     // where clients connect; none only with TLS
	Upstreams []Target      // where requests go; at least one
	Resolve   time.Duration // how often the names in Upstreams are looked up again
	Spawn     Spawn         // whose processes are upstreams, too

	TLS         TLS         // how clients connect by TLS; zero: not at all
	UpstreamTLS UpstreamTLS // how https upstreams are connected to

	Resolver netip.AddrPort // the DNS server asked for them; not valid: as this machine does

	Balance string // name of the picker, a row of pool/balance
	HashOn  HashOn // for the balance hash
	Sticky  Sticky // for the balance sticky

	// The bounded worker pool: connections over MaxConnections are refused. 0: as
	// many as there are descriptors for, and not too many.
	MaxConnections int

	MaxConcurrent int           // exchanges under way at once; 0: no limit
	Queue         int           // exchanges that may wait for a place, there and at upstreams with a Max
	QueueTimeout  time.Duration // for how long each

	Connect   time.Duration // to open a connection to an upstream
	Response  time.Duration // from the request's last byte to the answer's first
	Idle      time.Duration // between two bytes of a body, either side
	Retries   int           // other upstreams that a request is sent to, where one fails
	Head      time.Duration // a client's whole request head, from its first byte
	KeepAlive time.Duration // a client's connection between two requests
	Drain     time.Duration // for exchanges under way when told to stop

	Upgrade    []string      // protocols that may be switched to besides websocket, in lower case
	TunnelIdle time.Duration // between two bytes of a WebSocket, either way; 0: no limit

	MaxHead int   // bytes of a request head, and of an answer's
	MaxBody int64 // bytes of a request body; 0: no limit

	Pool   Pool
	Health Health

	Cache   Cache   // zero: nothing is stored, but for Redis where others need it
	Session Session // zero: there are none

	Hub Hub // zero: none

	TrustedProxies []netip.Prefix // whose X-Forwarded-* is believed, and whose PROXY header
	Via            bool           // add Via, both ways
	Forwarded      bool           // add Forwarded (RFC 7239) to requests

	ErrorPages string // directory of 502.html, 5xx.html, …; "": built-in answers

	PidFile   string        // of the process that serves; "": none
	Upgrading time.Duration // for a new process to be ready that replaces this one

	Admin      *Address // nil: off
	AdminToken string   // asked of every admin request when not empty

	AccessLog AccessLog // zero: none
	LogLevel  slog.Level
}

// Address is a socket to listen on or to connect to.
type Address struct {
	Network string // "tcp", "unix", or, to listen on, "fd"
	Addr    string // host:port, the path of a Unix socket, or the name of one that is open

	Proxied bool // to listen on: what connects there begins with a PROXY header
}

// TLS is how clients connect by TLS.
type TLS struct {
	Listen     []Address    // where; none: nowhere, and all else is zero, too
	Pairs      []certs.Pair // in the operator's order
	SelfSigned bool         // a certificate for localhost; with no Pairs, always
	ACME       ACME         // ordered from an authority
	ClientCA   string       // file of who vouches for clients; "": they are not asked
	ClientAuth string       // "require" or "optional", if they are

	Redirect bool          // requests without TLS are sent to https
	Port     string        // there; "": that of the first of Listen
	HSTS     time.Duration // for which browsers are told to come by TLS only, whole seconds; 0: they are not
	HTTP3    bool          // is spoken, too, by UDP at those of Listen that ;accept-proxy and Unix sockets are not

	passphrases string // of all Pairs
}

// ACME is which certificates are ordered, and from whom.
type ACME struct {
	Names     []string // in lower case; none: all else is zero, too
	Email     string   // "": none is told
	CA        string   // URL of its directory
	Roots     string   // file of who vouches for it; "": whom the machine trusts
	Dir       string   // where everything is kept; "": in Redis, or see Where
	Challenge string   // how names are proved: any, http-01 or tls-alpn-01
}

// UpstreamTLS is how upstreams of https are believed, and what they are shown.
type UpstreamTLS struct {
	CA       string     // file of who vouches for them; "": whom the machine trusts
	Identity certs.Pair // zero: none
	SNI      string     // "": the URL's host
	Insecure bool       // nobody need vouch for them
}

// Target is one upstream as the operator wrote it.
type Target struct {
	URL    string // as written, without options, for messages and metrics
	Scheme string // how it is reached: http, https, srv+http, srv+https or unix
	H2     bool   // it is spoken to in HTTP/2
	Host   string // a name, an IP address without brackets, or the path of a socket
	Port   string // never empty with http and https, else always
	Weight uint32 // 1 unless given; never 0
	Max    int    // exchanges at once; 0: no limit
	Backup bool   // only while no other can be had

	Pipeline  int // requests under way on a connection that they share; 0: none do
	SendProxy int // version of the PROXY header that connections to it begin with; 0: none
}

// HashOn is the part of a request that decides where it goes.
type HashOn struct {
	Part string // client, uri, path, host, header, query, cookie or session
	Name string // of the header field (in lower case), query parameter or cookie
}

// Sticky is the cookie that brings a client back to its upstream.
type Sticky struct {
	Name string        // the cookie's
	TTL  time.Duration // whole seconds; 0: until the browser is closed
	Key  string        // signs it; "": none was given

	Session bool // the session says it, and no cookie
}

// Health is how upstreams are found ill and well again.
type Health struct {
	MaxFails    int           // failures in a row that put one out for a while; 0: never
	FailTimeout time.Duration // for how long the first time

	Path     string        // asked for by each check; "": taking a connection is enough
	Interval time.Duration // between two checks; 0: none
	Timeout  time.Duration // of a check
	Rise     int           // checks that must go well for one to be well again
	Fall     int           // checks that must fail for one to be ill

	SlowStart time.Duration // in which one that returns takes up its full share
}

// Pool bounds what is kept open to each upstream.
type Pool struct {
	MaxIdle int           // idle connections kept for each upstream
	IdleAge time.Duration // an idle connection older than this is closed
	MaxAge  time.Duration // any connection older than this is not used again
}

// Cache is what may be stored of answers, where, and who may drop it.
type Cache struct {
	Memory int64 // bytes of the memory tier; 0: no cache, and all else is zero, too
	Object int64 // bytes of a body; longer ones are not stored; at most half of Memory

	// Patterns of package cache/key, in its words: a path, a prefix with a *,
	// a ~ and a regular expression, each also after a host.
	Paths []string // only what one of them matches is stored; at least one
	Never []string // what one of them matches is not

	Vary      []string // request fields, in lower case, that every answer varies by
	DropQuery []string // query parameters to leave out of the key; a trailing * makes a prefix
	SortQuery bool     // parameters are in the key in the order of their names

	NoCookies      bool // never store an answer with Set-Cookie
	IgnoreRequests bool // requests' Cache-Control and Pragma do not count

	TTL   time.Duration // freshness of answers that say nothing about it; 0: none
	Wait  time.Duration // for another request's fetch of the same; 0: not at all
	Stale time.Duration // beyond freshness, while no upstream answers; not for answers that say or forbid it themselves

	File      string         // keeps the memory tier over a restart; "": nothing does
	PurgeFrom []netip.Prefix // who may send PURGE; none: nobody

	Redis Redis // the second tier
}

// Redis is a server, or several that are one.
type Redis struct {
	Mode     string   // "": a single server; "sentinel", "cluster"
	TLS      bool     // to servers; with sentinel to sentinels as well
	Addrs    []string // host:port; none: no Redis, and all else is zero, too. With sentinel, the sentinels'
	Master   string   // with sentinel: its name for the set of servers
	User     string   // "": the default one
	Password string   // "": none is asked for
	DB       int      // 0 with cluster

	Timeout time.Duration // for a read of the cache
	Prefix  string        // what all keys and channels begin with
}
