package proxy

import "sync/atomic"

// Entrance is where clients come in. It may shut while the Proxy goes on: then
// each of its connections ends with its next answer, or for being silent.
// Tunnels go on. The zero value is open.
type Entrance struct{ shut atomic.Bool }

// Shut has connections end that came in here.
func (e *Entrance) Shut() { e.shut.Store(true) }

// IsShut tells whether they are to. nil never shuts.
func (e *Entrance) IsShut() bool { return e != nil && e.shut.Load() }

// ends tells whether an answer now is to be its connection's last.
func (c *Client) ends() bool { return c.p.draining.Load() || c.from.IsShut() }
