// Package proxyproto is HAProxy's PROXY protocol, versions 1 and 2: a header
// in front of a connection by which a proxy that passes bytes on says whose
// they are.
//
// It hides the two grammars. Package server has Accept read the header of a
// connection whose peer it trusts, and goes on with a connection that gives
// the addresses said for its own; package pool appends one to what it sends
// first. Neither who may be believed nor how long is waited is decided here:
// the caller asks before, and sets a deadline.
//
// It promises: not a byte behind the header is read, however it comes, so what
// follows needs no buffer and a plain socket stays one, with its system calls
// and splice; what is read of a header is bounded by MaxV1 and MaxV2, what is
// kept by that; of fields (TLVs) only the declared lengths count, and a CRC32c
// that is there must be right. A header that does not name the client leaves
// it without an address: RemoteAddr then is no *net.TCPAddr, so that nobody takes
// the proxy's own rights for those of its client. LOCAL, by which a proxy
// speaks for itself, leaves the connection as it is.
//
// Version 2 costs three reads, version 1, which does not say how long it is, a
// few more; either an allocation for the header and one for each address.
package proxyproto
