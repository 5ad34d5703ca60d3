package place

import (
	"net"
	"slices"
	"time"

	"github.com/redis/rueidis"
)

// AnswerWithin is how long a server that lives takes at most. A connection that
// is silent for pingAfter is pinged, and given up if no answer comes by then.
const AnswerWithin = 500 * time.Millisecond

const (
	dialTimeout = 500 * time.Millisecond // for TLS and the commands that set up a connection as well
	pingAfter   = time.Second
	askTopology = 2 * time.Second
)

// Client is how a client goes there: over one connection to each server, so
// that what a connection is told comes in order with its answers, and without
// trying again by itself, for that would go on while Redis is away. The caller
// may change what it is given.
func (p *Place) Client() rueidis.ClientOption {
	o := p.Option
	o.InitAddress = slices.Clone(o.InitAddress)
	o.PipelineMultiplex = -1
	o.Dialer = net.Dialer{Timeout: dialTimeout, KeepAlive: pingAfter}
	o.Sentinel.Dialer = o.Dialer
	o.ConnWriteTimeout = AnswerWithin
	o.ReadBufferEachConn, o.WriteBufferEachConn = 64<<10, 64<<10
	o.DisableRetry = true
	o.ClusterOption.MaxMovedRedirections = 3
	o.ClusterOption.ShardsRefreshInterval = askTopology
	o.Sentinel.TopologyRefreshInterval = askTopology
	o.ForceSingleClient = p.Shape == Single
	return o
}
