package mongo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"multiserver/sync/hub"
	"multiserver/sync/hub/hubtest"
	"multiserver/sync/session/mongo/mongodbtest"
)

func open(t testing.TB, server *mongodbtest.Server, prefix string) *Broker {
	t.Helper()
	b, err := New(Options{URL: server.URL(), Prefix: prefix, Timeout: hubtest.Patience})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Two tests of the contract are for servers that write faster, and are ours
// below: each update takes FerretDB some milliseconds, and its cursors read a
// whole collection a hundred times a second.
var slow = []string{"ManyChannelsAtOnce", "HistoryIsBoundedBySize"}

func TestContract(t *testing.T) {
	contract(t, func(t testing.TB, b *Broker) { skip(t, slow) })
}

func TestContractByPolling(t *testing.T) {
	contract(t, func(t testing.TB, b *Broker) {
		skip(t, slow)
		b.polls = true
	})
}

func TestManyChannels(t *testing.T) {
	server := mongodbtest.Start(t)
	s := hubtest.Stage{New: func(t testing.TB) hub.Broker { return open(t, server, "hub") }}
	a, b := s.Node(t), s.Node(t)
	var channels []string
	for i := range 1500 {
		channels = append(channels, fmt.Sprint("c", i))
	}
	b.Enter(channels...)
	for i := 0; i < len(channels); i += 30 {
		a.Say(channels[i], channels[i], hub.History{})
	}
	for i := 0; i < len(channels); i += 30 {
		hubtest.Until(t, "each is heard once", func() bool { return len(b.Heard(channels[i])) == 1 })
	}
}

func skip(t testing.TB, names []string) {
	for _, name := range names {
		if strings.HasSuffix(t.Name(), "/"+name) {
			t.Skip("too slow with FerretDB")
		}
	}
}

func contract(t *testing.T, prepare func(t testing.TB, b *Broker)) {
	server := mongodbtest.Start(t)
	stages := 0
	hubtest.Run(t, func(t testing.TB) *hubtest.Stage {
		stages++
		prefix := fmt.Sprint("hub", stages)
		return &hubtest.Stage{
			New: func(t testing.TB) hub.Broker {
				b := open(t, server, prefix)
				prepare(t, b)
				return b
			},
			Kill: server.Kill,
			Restart: func() {
				if err := server.Restart(); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

// TestHistoryIsCut: by number and by bytes, and what is left is the newest, under
// the ids that it had.
func TestHistoryIsCut(t *testing.T) {
	s := hubtest.Stage{}
	server := mongodbtest.Start(t)
	s.New = func(t testing.TB) hub.Broker {
		b := open(t, server, "hub")
		b.most = 4 << 10
		return b
	}
	n := s.Node(t)
	f := func(channel string, keep hub.History, count, long, least, most int) {
		t.Helper()
		for i := range count {
			n.Say(channel, fmt.Sprint(i+1, strings.Repeat(" ", long)), keep)
		}
		all, newest, err := n.Kept(channel, hub.ID{})
		if err != nil || newest.Offset != uint64(count) || len(all) < least || len(all) > most {
			t.Fatalf("%s: %d are kept, the newest is %v, %v", channel, len(all), newest, err)
		}
		for i, h := range all {
			if want := count - len(all) + 1 + i; h.ID.Offset != uint64(want) || strings.TrimSpace(h.Msg) != fmt.Sprint(want) {
				t.Fatalf("%s: %v %.10q where %d belongs", channel, h.ID, h.Msg, want)
			}
		}
	}
	f("number", hub.History{Size: 5, TTL: time.Hour}, 40, 0, 5, 10)
	f("one", hub.History{Size: 1, TTL: time.Hour}, 5, 0, 1, 2)
	f("bytes", hub.History{Size: 100, TTL: time.Hour}, 10, 900, 2, 4)
	f("longest", hub.History{Size: 100, TTL: time.Hour}, 5, 4<<10, 1, 1)
}

func TestOrderOfIDs(t *testing.T) {
	f := func(epoch, offset, lastEpoch, lastOffset uint64, want order) {
		t.Helper()
		if got := follows(hub.ID{Epoch: epoch, Offset: offset}, hub.ID{Epoch: lastEpoch, Offset: lastOffset}); got != want {
			t.Errorf("%d-%d after %d-%d: %v", epoch, offset, lastEpoch, lastOffset, got)
		}
	}
	f(7, 1, 0, 0, next)
	f(7, 2, 0, 0, gap)
	f(7, 5, 7, 4, next)
	f(7, 6, 7, 4, gap)
	f(7, 4, 7, 4, before)
	f(7, 3, 7, 4, before)
	f(8, 1, 7, 4, next)
	f(8, 3, 7, 4, gap)
}
