package redis

import "strings"

// Names in Redis, with P for the prefix:
//
//	P{key}      the record
//	P{key}l     its lease
//	Pm{marks}   the marks: a sorted set of names by number
//	Pc{marks}   the number below which they were trimmed
//	P{changed}  not a key but the channel, where tracking cannot be had
//
// What stands in braces chooses the node of a cluster, so that a record and
// its lease are on one node, and commands about them stay in order.
type names struct {
	prefix, marks, cut, channel string
}

func newNames(prefix string) names {
	return names{prefix, prefix + "m{marks}", prefix + "c{marks}", prefix + "{changed}"}
}

func (n *names) record(key []byte) string { return n.prefix + "{" + string(key) + "}" }
func (n *names) lease(key []byte) string  { return n.prefix + "{" + string(key) + "}l" }

// key is what record and lease were made of. isRecord is false for a lease.
func (n *names) key(name string) (key string, isRecord, ok bool) {
	name, ok = strings.CutPrefix(name, n.prefix)
	if !ok || len(name) < 2 || name[0] != '{' {
		return "", false, false
	}
	if key, isRecord = strings.CutSuffix(name[1:], "}"); isRecord {
		return key, true, true
	}
	key, ok = strings.CutSuffix(name[1:], "}l")
	return key, false, ok
}
