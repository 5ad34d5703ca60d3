package mongo

import (
	"fmt"
	"strings"
	"testing"

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

func TestContract(t *testing.T) {
	contract(t, func(t testing.TB, b *Broker) {
		if name := t.Name(); strings.HasSuffix(name, "ManyChannelsAtOnce") || strings.HasSuffix(name, "HistoryIsBoundedBySize") {
			t.Skip("FerretDB's cursors read a whole collection a hundred times a second; see TestContractByPolling")
		}
	})
}

func TestContractByPolling(t *testing.T) {
	contract(t, func(_ testing.TB, b *Broker) { b.polls = true })
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
