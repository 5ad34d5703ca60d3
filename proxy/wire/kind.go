package wire

// Kind tells the fields that a proxy must know apart from all others.
type Kind uint8

// The kinds. Those from Connection to Proxy concern one connection only (RFC
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
	Guarded // end to end whatever Connection says: credentials, cookies, …

	Forwarded
	ForwardedFor   // X-Forwarded-For
	ForwardedHost  // X-Forwarded-Host
	ForwardedProto // X-Forwarded-Proto
	ForwardedPort  // X-Forwarded-Port
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
	Proxy // becomes HTTP_PROXY under CGI ("httpoxy")
)

// Hop tells whether the field concerns this connection only.
func (k Kind) Hop() bool { return k >= Connection }

// Asserted tells whether the field says who the client is or what it asked
// for, which only a trusted peer may.
func (k Kind) Asserted() bool { return k >= Forwarded && k <= ForwardedMore }

// kindOf names the kind of a field by its name, a token of at least one byte.
func kindOf(name []byte) Kind {
	switch len(name) {
	case 2:
		return match(name, "te", TE)
	case 3:
		return match(name, "via", Via)
	case 4:
		if k := match(name, "host", Host); k != Other {
			return k
		}
		return match(name, "date", Date)
	case 5:
		return match(name, "proxy", Proxy)
	case 6:
		if k := match(name, "expect", Expect); k != Other {
			return k
		}
		return match(name, "cookie", Guarded)
	case 7:
		if k := match(name, "upgrade", Upgrade); k != Other {
			return k
		}
		return match(name, "trailer", Trailer)
	case 9:
		if k := match(name, "forwarded", Forwarded); k != Other {
			return k
		}
		return identity(name)
	case 10:
		switch name[0] | 0x20 {
		case 'c':
			return match(name, "connection", Connection)
		case 'k':
			return match(name, "keep-alive", KeepAlive)
		}
		return match(name, "set-cookie", Guarded)
	case 12:
		if k := match(name, "max-forwards", MaxForwards); k != Other {
			return k
		}
		if k := match(name, "content-type", Guarded); k != Other {
			return k
		}
		return match(name, "x-request-id", RequestID)
	case 13:
		if k := match(name, "authorization", Guarded); k != Other {
			return k
		}
		return match(name, "cache-control", Guarded)
	case 14:
		if k := match(name, "content-length", ContentLength); k != Other {
			return k
		}
		return match(name, "http2-settings", HTTP2Settings)
	case 16:
		if k := match(name, "proxy-connection", ProxyConnection); k != Other {
			return k
		}
		if k := match(name, "content-encoding", Guarded); k != Other {
			return k
		}
	case 17:
		if k := match(name, "transfer-encoding", TransferEncoding); k != Other {
			return k
		}
	case 18:
		if k := match(name, "proxy-authenticate", ProxyAuth); k != Other {
			return k
		}
	case 19:
		if k := match(name, "proxy-authorization", ProxyAuth); k != Other {
			return k
		}
	case 25:
		if k := match(name, "proxy-authentication-info", ProxyAuth); k != Other {
			return k
		}
	}
	return identity(name)
}

func match(name []byte, lower string, k Kind) Kind {
	if EqualFold(name, lower) {
		return k
	}
	return Other
}

// identity finds X-Forwarded-* and X-Real-IP. "_" counts as "-", since CGI and
// WSGI fold both into HTTP_X_FORWARDED_FOR, but only the true spelling is a
// name that we read or write; the others are ForwardedMore, and dropped.
func identity(name []byte) Kind {
	const prefix = "x-forwarded-"
	if len(name) < len("x-real-ip") || name[0]|0x20 != 'x' {
		return Other
	}
	if len(name) == len("x-real-ip") {
		if foldsTo(name, "x-real-ip") {
			return ForwardedMore
		}
		return Other
	}
	if len(name) <= len(prefix) || !foldsTo(name[:len(prefix)], prefix) {
		return Other
	}
	switch {
	case EqualFold(name, "x-forwarded-for"):
		return ForwardedFor
	case EqualFold(name, "x-forwarded-host"):
		return ForwardedHost
	case EqualFold(name, "x-forwarded-proto"):
		return ForwardedProto
	case EqualFold(name, "x-forwarded-port"):
		return ForwardedPort
	}
	return ForwardedMore
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
