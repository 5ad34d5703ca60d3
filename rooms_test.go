package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "multiserver"

const cacheRooms = "cache cache/key cache/memory cache/part cache/purge cache/redis cache/rule sync/link/place"

// rooms says, for each package, which of ours it may reach, directly or
// through others, and why no more. A package that is not here fails the test:
// it has to earn its place with a row.
var rooms = []struct {
	room string // below the module
	may  string // rooms, separated by spaces; * is all
	why  string
}{
	{"pool/balance", "", "decides by numbers; knowing connections or settings would tie every algorithm to them"},
	{"proxy/wire", "", "HTTP/1's bytes and nothing else, so that it can be fuzzed and read alone"},
	{"proxy/proxyproto", "", "a header's bytes, and a connection behind one; who is believed, and who is told, is for others"},
	{"proxy/wire/leak", "", "only for tests, which must not drag anything in"},
	{"cache/key", "proxy/wire", "names of answers by bytes alone; what is stored under them, and why, is for others"},
	{"cache/part", "cache/rule proxy/wire", "judges requests against what is stored, by fields alone; where the bytes lie is for others"},
	{"cache/purge", "", "numbers against hashes; what an entry is, and how marks travel, is for others"},
	{"cache/redis", "sync/link/place", "bytes under keys on a server; what they mean, and HTTP, is for the cache"},
	{"cache/redis/redistest", "sync/daemon", "only for tests, which must not drag anything in"},
	{"cache/redis/redistest/services", "cache/redis/redistest sync/daemon", "the same servers, for a person"},
	{"cache/cluster", "", "tests alone, of the program from outside; nothing may lean on it"},
	{"cache/rule", "proxy/wire", "RFC 9111 by itself: bytes in, verdicts out, so that it can be held against the public suite of tests"},
	{"proxy/certs", "", "files in, a tls.Config out; who connects, and how they are answered, is for the server"},
	{"proxy/certs/acme", "", "orders certificates and proves names; who shows them, and which listener is asked, is for others"},
	{"proxy/certs/certstest", "", "only for tests, which must not drag anything in"},
	{"proxy/route", "proxy/wire", "rules and a request's head in, a number out; pools, filters and files are for others"},
	{"proxy/config", "proxy/certs proxy/route proxy/wire", "pure: what the operator wrote must be checkable without opening anything but the files it names"},
	{"proxy/logline", "", "values as text in a line, and lines that wait; whose they are, and where they go, is for others"},
	{"proxy/sink", "", "lines go there; what they say, and of whom, is for the proxy"},
	{"proxy/admin", "", "is handed closures, so that a page can never slow or change the way of a request"},
	{"pool/pipe", "proxy/wire", "places on shared connections as connections; which upstream, and whether to ask again, is for the pool"},
	{"pool/stream", "proxy/wire", "streams as connections; which upstream, and whether to try another, is for the pool"},
	{"pool", "pool/balance pool/pipe pool/stream proxy/proxyproto proxy/wire", "reaches upstreams; must not learn of requests' routes, flags or files"},
	{"cache/memory", "", "bytes under keys; what they mean, how long they hold and who asked must not reach it"},
	{"pool/discover", "pool pool/balance pool/pipe pool/stream proxy/proxyproto proxy/wire", "fills in targets; who wrote the names and what becomes of the members is not its business"},
	{"pool/spawn", "pool pool/balance pool/pipe pool/stream proxy/proxyproto proxy/wire", "processes become targets; who asks for them, and over which page, is for the server"},
	{"cache", "cache/key cache/memory cache/part cache/purge cache/redis cache/rule sync/link/place proxy/wire", "answers and where they lie; who asks for them over which connection is for the proxy"},
	{"proxy", "pool pool/balance pool/pipe pool/stream proxy/logline proxy/proxyproto proxy/wire sync/session " + cacheRooms, "the hot way of a request: settings come compiled, files and admin pages stay outside"},
	{"proxy/filter", "pool pool/balance pool/pipe pool/stream proxy proxy/logline proxy/proxyproto proxy/wire sync/link sync/session " + cacheRooms, "what a route adds, by the proxy's doors; which route, and how its options are written, is for others"},
	{"proxy/edge", "pool pool/balance pool/pipe pool/stream proxy proxy/logline proxy/proxyproto proxy/wire sync/session " + cacheRooms, "HTTP/2's streams become connections of the core; flags, listeners and certificates are for others"},
	{"proxy/server", "*", "the only room that sees everything; it works at start, at a reload and at stop"},
	{"sync/daemon", "", "only for tests, which must not drag anything in"},
	{"sync/link/place", "", "a URL and what it says; who goes there is for others"},
	{"sync/link", "sync/link/place", "a client to Redis that is kept; what is asked of it is for others"},
	{"sync/session", "", "records under ids, cookies and headers as bytes; whose request it is, and where the store lies, is for others"},
	{"sync/session/memory", "sync/session", "records in this process; who asks for them, and what they mean, is for others"},
	{"sync/session/redis", "sync/link sync/link/place sync/session sync/session/memory", "records in Redis, and copies of them here; who asks for them, and what they mean, is for others"},
	{"sync/session/app", "sync/session", "for applications: their handlers, sessions; which store it is they say themselves"},
	{"sync/session/sessiontest", "sync/session", "only for tests, which must not drag anything in"},
	{"sync/session/memcached", "sync/session sync/session/memcached/meta", "records on memcached; cookies and headers are for others"},
	{"sync/session/memcached/meta", "", "bytes under keys on a server; what they mean is for the store"},
	{"sync/session/mongo", "sync/session", "records on MongoDB; cookies and headers are for others"},
	{"sync/session/mongo/mongodbtest", "sync/daemon", "only for tests, which must not drag anything in"},
	{"sync/session/memcached/memcachedtest", "sync/daemon", "only for tests, which must not drag anything in"},
	{"sync/hub", "", "channels and who is in them; connections, flags and who carries the messages between nodes are for others"},
	{"sync/hub/mongo", "sync/hub", "carries messages over MongoDB; what is in them, and who hangs on which channel, is for others"},
	{"sync/hub/hubtest", "sync/hub", "only for tests: what every broker is held against"},
	{"sync/hub/redis", "sync/hub", "a broker: bytes under channels; who keeps the link to the server is for others"},
	{"sync/hub/sse", "sync/hub", "messages as events, and a queue of them; requests and connections are for others"},
	{"sync/hub/api", "sync/hub", "an operator's and a backend's way into a hub; who may come in is for the listener"},
	{"sync/hub/bridge", "sync/hub", "hears what instances say to everyone; which instances there are is for others"},
	{"proxy/cli", "*", "the command line: flags in, a running server out"},
	{"", "*", "main"},
	{"examples", "", "runs the programs beside it; what they are made of is theirs"},
	{"examples/nethttp", "", "somebody's app, which knows nothing of us"},
	{"examples/fasthttp", "", "somebody's app, which knows nothing of us"},
	{"bench", "*", "measures whatever it likes"},
}

func TestWhoKnowsWhom(t *testing.T) {
	for _, line := range goList(t, "-f", "{{.ImportPath}} {{join .Deps \" \"}}", "./...") {
		paths := strings.Fields(line)
		room := below(paths[0])
		i := slices.IndexFunc(rooms, func(r struct{ room, may, why string }) bool {
			return r.room == room || r.room == "bench" && strings.HasPrefix(room, "bench/")
		})
		if i < 0 {
			t.Errorf("%s has no row in the table of who may know whom", room)
			continue
		}
		for _, dep := range paths[1:] {
			if ours(dep) && rooms[i].may != "*" && !slices.Contains(strings.Fields(rooms[i].may), below(dep)) {
				t.Errorf("%s reaches %s: %s", room, below(dep), rooms[i].why)
			}
		}
	}
}

func ours(path string) bool    { return path == module || strings.HasPrefix(path, module+"/") }
func below(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
