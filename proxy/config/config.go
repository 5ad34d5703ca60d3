package config

import (
	"log/slog"
	"net/netip"
	"time"
)

// Config is everything the operator decided, checked and with the defaults
// filled in. It is never changed once it is built: a reload builds another.
type Config struct {
	Listen    []Address // where clients connect; at least one
	Upstreams []Target  // where requests go; at least one
	Balance   string    // name of the picker, a row of pool/balance

	// The bounded worker pool: connections over MaxConnections are refused.
	MaxConnections int

	Connect   time.Duration // to open a connection to an upstream
	Response  time.Duration // from the request's last byte to the answer's first
	Idle      time.Duration // between two bytes of a body, either side
	Head      time.Duration // a client's whole request head, from its first byte
	KeepAlive time.Duration // a client's connection between two requests
	Drain     time.Duration // for exchanges under way when told to stop

	MaxHead int   // bytes of a request head, and of an answer's
	MaxBody int64 // bytes of a request body; 0: no limit

	Pool Pool

	TrustedProxies []netip.Prefix // whose X-Forwarded-* is believed
	Via            bool           // add Via, both ways
	Forwarded      bool           // add Forwarded (RFC 7239) to requests

	ErrorPages string // directory of 502.html, 5xx.html, …; "": built-in answers

	Admin      *Address // nil: off
	AdminToken string   // asked of every admin request when not empty

	AccessLog string // a path, "-" for standard output, "": off
	LogLevel  slog.Level
}

// Address is a socket to listen on or to connect to.
type Address struct {
	Network string // "tcp" or "unix"
	Addr    string // host:port, or the path of a Unix socket
}

// Target is one upstream as the operator wrote it.
type Target struct {
	URL     string // as written, for messages and metrics
	TLS     bool   // https://
	Address        // where to connect
	Host    string // host[:port] of the URL: server name for TLS
	Weight  uint32 // 1 unless given; never 0
}

// Pool bounds what is kept open to each upstream.
type Pool struct {
	MaxIdle int           // idle connections kept for each upstream
	IdleAge time.Duration // an idle connection older than this is closed
	MaxAge  time.Duration // any connection older than this is not used again
}
