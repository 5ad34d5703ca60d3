package proxy

import "net"

// Protocol is what a client speaks to us; it is the label of the metric.
type Protocol uint8

// The protocols. Which HTTP/1 it is each request says by itself.
const (
	HTTP1 Protocol = iota
	HTTP2
	HTTP3
	Protocols // how many there are
)

// String is the name that access logs have for it.
func (p Protocol) String() string { return [Protocols]string{"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}[p] }

// protocolOf is what nc says of itself, if it is the stream of a connection.
func protocolOf(nc net.Conn) Protocol {
	s, ok := nc.(interface{ Protocol() string })
	for p := HTTP2; ok && p < Protocols; p++ {
		if s.Protocol() == p.String() {
			return p
		}
	}
	return HTTP1
}

// Protocol is what the client speaks.
func (c *Client) Protocol() Protocol { return c.protocol }
