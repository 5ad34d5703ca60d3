package hub_test

import (
	"testing"

	"multiserver/sync/hub"
	"multiserver/sync/hub/hubtest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	hubtest.Run(t, func(testing.TB) *hubtest.Stage {
		m := hub.NewMemory()
		return &hubtest.Stage{New: func(testing.TB) hub.Broker { return m.Node() }}
	})
}
