package mongo

import (
	"testing"

	"multiserver/sync/hub"
	"multiserver/sync/hub/hubtest"
	"multiserver/sync/session/mongo/mongodbtest"
)

func open(t testing.TB, server *mongodbtest.Server) hub.Broker {
	t.Helper()
	b, err := New(Options{URL: server.URL(), Timeout: hubtest.Patience})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestContract(t *testing.T) {
	server := mongodbtest.Start(t)
	hubtest.Run(t, func(t testing.TB) *hubtest.Stage {
		return &hubtest.Stage{
			New:  func(t testing.TB) hub.Broker { return open(t, server) },
			Kill: server.Kill,
			Restart: func() {
				if err := server.Restart(); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}
