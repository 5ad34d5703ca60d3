// Package place reads where a Redis is: redis://, redis-sentinel:// and
// redis-cluster://, and with rediss the same by TLS. It opens nothing but the CA
// file. Links and the cache's second tier begin with it.
//
//	place.go  a URL, understood
//	client.go how a client goes there, and how long it believes
package place
