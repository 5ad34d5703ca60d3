package wire

// Kind tells the fields that a proxy must know apart from all others.
type Kind uint8

// The kinds. Those from Connection to Trace concern one connection only (RFC
// 9110 §7.6.1, and what is treated so by custom) and are never passed on as
// they came.
const (
	Other Kind = iota
	Host
	ContentLength
	Expect
	Date
	Via
	MaxForwards
	RequestID
	Guarded // end to end whatever Connection says: cookies, what the body is, …

	Authorization
	CacheControl
	Pragma
	Condition // If-None-Match, If-Modified-Since: what a cache may answer itself
	Demand    // If-Match, If-Unmodified-Since: what only the origin can tell
	Range     // and If-Range
	Override  // asks for another target or method than the one that is seen: X-Original-URL, X-HTTP-Method-Override, …

	Session  // X-Session-*, between us and backends; with "_" for "-" as well, since CGI folds both into the same names
	Personal // no field, but Noted: the answer is this client's

	Forwarded
	ForwardedFor   // X-Forwarded-For
	ForwardedHost  // X-Forwarded-Host
	ForwardedProto // X-Forwarded-Proto
	ForwardedPort  // X-Forwarded-Port
	ClientCert     // Client-Cert and its chain (RFC 9440): the certificate that the client has shown
	ForwardedMore  // any other X-Forwarded-*, X-Real-IP, and spellings with "_" that CGI folds into the same names

	Connection
	TransferEncoding
	KeepAlive
	ProxyConnection
	ProxyAuth // Proxy-Authenticate, Proxy-Authorization, Proxy-Authentication-Info
	TE
	Trailer
	Upgrade
	HTTP2Settings
	Token // no field by name: one that bears what is between the client and us
	Proxy // becomes HTTP_PROXY under CGI ("httpoxy")
	Trace // X-Multiserver-Trace: a question to us, and our answer
)

// Kinds is a set of them.
type Kinds uint64

// KindsOf makes a set.
func KindsOf(kinds ...Kind) (s Kinds) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Hop tells whether the field concerns this connection only.
func (k Kind) Hop() bool { return k >= Connection }

// Asserted tells whether the field says who the client is or what it asked
// for, which only a trusted peer may.
func (k Kind) Asserted() bool { return k >= Forwarded && k <= ForwardedMore }

// named are the fields with a kind, by the length of their names, which tells
// nearly all of them apart at once.
var named = func() (t [26][]struct {
	lower string
	kind  Kind
}) {
	for kind, names := range map[Kind][]string{
		Host: {"host"}, ContentLength: {"content-length"}, Expect: {"expect"}, Date: {"date"}, Via: {"via"},
		MaxForwards: {"max-forwards"}, RequestID: {"x-request-id"}, Forwarded: {"forwarded"},
		Guarded: {"cookie", "set-cookie", "content-type", "content-encoding", "traceparent", "tracestate"},

		Authorization: {"authorization"}, CacheControl: {"cache-control"}, Pragma: {"pragma"},
		Condition: {"if-none-match", "if-modified-since"}, Demand: {"if-match", "if-unmodified-since"},
		Range: {"range", "if-range"},
		Override: {"x-original-url", "x-rewrite-url", "x-host", "x-http-method-override", "x-http-method",
			"x-method-override", "x-http-host-override"},

		ForwardedFor: {"x-forwarded-for"}, ForwardedHost: {"x-forwarded-host"},
		ForwardedProto: {"x-forwarded-proto"}, ForwardedPort: {"x-forwarded-port"},
		ClientCert:    {"client-cert", "client-cert-chain"},
		ForwardedMore: {"client_cert", "client_cert_chain", "client_cert-chain", "client-cert_chain"},

		Connection: {"connection"}, TransferEncoding: {"transfer-encoding"}, KeepAlive: {"keep-alive"},
		ProxyConnection: {"proxy-connection"}, TE: {"te"}, Trailer: {"trailer"}, Upgrade: {"upgrade"},
		ProxyAuth:     {"proxy-authenticate", "proxy-authorization", "proxy-authentication-info"},
		HTTP2Settings: {"http2-settings"}, Proxy: {"proxy"}, Trace: {"x-multiserver-trace"},
	} {
		for _, n := range names {
			t[len(n)] = append(t[len(n)], struct {
				lower string
				kind  Kind
			}{n, kind})
		}
	}
	return t
}()

// KindOf names the kind of a field by its name.
func KindOf(name []byte) Kind {
	if len(name) == 0 {
		return Other
	}
	return kindOf(name)
}

// kindOf names the kind of a field by its name, a token of at least one byte.
func kindOf(name []byte) Kind {
	if len(name) < len(named) {
		for _, n := range named[len(name)] {
			if name[0]|0x20 == n.lower[0] && EqualFold(name, n.lower) {
				return n.kind
			}
		}
	}
	if name[0]|0x20 == 'x' {
		switch {
		case asserts(name):
			return ForwardedMore
		case folds(name, "x-session-"):
			return Session
		}
	}
	return Other
}

// asserts finds the rest of X-Forwarded-*, and X-Real-IP. "_" counts as "-",
// since CGI and WSGI fold both into HTTP_X_FORWARDED_FOR.
func asserts(name []byte) bool {
	const prefix, real = "x-forwarded-", "x-real-ip"
	return len(name) == len(real) && foldsTo(name, real) ||
		len(name) > len(prefix) && folds(name, prefix)
}

// folds tells whether name begins with prefix.
func folds(name []byte, prefix string) bool {
	return len(name) >= len(prefix) && foldsTo(name[:len(prefix)], prefix)
}

func foldsTo(name []byte, lower string) bool {
	for i := range len(lower) {
		c := name[i] | 0x20
		if name[i] == '_' {
			c = '-'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
