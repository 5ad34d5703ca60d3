package proxy

import (
	"crypto/tls"
	"encoding/base64"
	"net"
)

// appendCertificate appends the field that tells upstreams of the certificate
// that the client has shown and that was found good (RFC 9440 §2.2), if it has.
// What clients say of that kind themselves is never passed on.
func (c *Client) appendCertificate(dst []byte, nc net.Conn) []byte {
	s, ok := nc.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return dst
	}
	shown := s.ConnectionState().PeerCertificates
	if len(shown) == 0 {
		return dst
	}
	c.known = true
	dst = append(dst, "Client-Cert: :"...)
	dst = base64.StdEncoding.AppendEncode(dst, shown[0].Raw)
	return append(dst, ":\r\n"...)
}
