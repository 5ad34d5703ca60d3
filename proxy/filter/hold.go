package filter

import (
	"fmt"

	"multiserver/proxy"
)

// hold reads request bodies before an upstream is asked: an app with a thread
// for each request is not held by those who send slowly. It takes memory
// instead, of which there is a bound for the whole process: where that is
// reached bodies flow as they come, and none is refused. Filters that may
// refuse the request stand before it.
type hold struct {
	proxy.Pass
	most int64
	room *proxy.Room
}

// holding is that memory, of all routes.
var holding = proxy.NewRoom(256 << 20)

func newHold(o Options) (proxy.Filter, error) {
	said := struct {
		Size string `yaml:"size"`
	}{"1MiB"}
	if err := o.Decode(&said); err != nil {
		return nil, err
	}
	most, err := parseSize(said.Size)
	if err == nil && (most < 1 || most > 64<<20) {
		err = fmt.Errorf("%q: want 1 to 64MiB", said.Size)
	}
	if err != nil {
		return nil, fmt.Errorf("size %w", err)
	}
	return &hold{most: most, room: holding}, nil
}

func (f *hold) Request(x *proxy.Exchange) bool {
	if f.room.Left() < f.most {
		Stats.Unheld.Add(1)
	}
	return x.Hold(f.most, f.room)
}
