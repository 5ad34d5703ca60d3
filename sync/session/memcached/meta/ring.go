package meta

import "github.com/cespare/xxhash/v2"

// pick gives the server that has key: the one whose name and the key together
// hash highest. When a server is added, only what it takes over moves, from all
// others alike; the order in which they are named does not matter.
func (c *Client) pick(key []byte) *server {
	if len(c.servers) == 1 {
		return c.servers[0]
	}
	var best *server
	var most uint64
	sum := xxhash.Sum64(key)
	for _, s := range c.servers {
		if weight := mix(sum ^ s.seed); best == nil || weight > most {
			best, most = s, weight
		}
	}
	return best
}

// mix is the end of splitmix64: bits that differ change half of all others.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
