package mongo

import (
	"fmt"
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
	server := mongodbtest.Start(t)
	stages := 0
	hubtest.Run(t, func(t testing.TB) *hubtest.Stage {
		stages++
		prefix := fmt.Sprint("hub", stages) // FerretDB reads a whole collection a hundred times a second
		return &hubtest.Stage{
			New:  func(t testing.TB) hub.Broker { return open(t, server, prefix) },
			Kill: server.Kill,
			Restart: func() {
				if err := server.Restart(); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}
