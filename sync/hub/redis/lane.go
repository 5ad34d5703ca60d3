package redis

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/redis/rueidis"

	"multiserver/sync/hub"
)

// lane is a connection that messages come over.
type lane struct {
	b    *Broker
	addr string // in the layout
	conn rueidis.DedicatedClient
	dead atomic.Bool
	done chan struct{} // closed when its watch has ended
}

// errLost is the end of a lane.
var errLost = errors.New("the connection is lost")

// open dials, which takes as long as the client's dialer has.
func (b *Broker) open(addr string, node rueidis.Client) *lane {
	conn, _ := node.Dedicate()
	l := &lane{b: b, addr: addr, conn: conn, done: make(chan struct{})}
	ended := conn.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: l.message, OnSubscription: l.told})
	b.Stats.Lanes.Add(1)
	go func() { // ends with the connection, which close sees to
		defer close(l.done)
		<-ended
		l.dead.Store(true)
		b.nudge()
	}()
	return l
}

func (l *lane) close() {
	l.dead.Store(true)
	l.conn.Close()
	<-l.done
	l.b.Stats.Lanes.Add(-1)
}

// A message in Redis is one of plainMark and the message, or of its id, a colon
// and the message.
const plainMark = '-'

// message runs in the goroutine that reads the connection.
func (l *lane) message(m rueidis.PubSubMessage) {
	channel, ok := l.b.channel(m.Channel)
	if !ok || m.Message == "" || l.b.closed.Load() {
		return
	}
	if m.Message[0] == plainMark {
		l.b.sink.Message(channel, hub.ID{}, []byte(m.Message[1:]))
		return
	}
	text, msg, _ := strings.Cut(m.Message, ":")
	if id, ok := hub.ParseID(text); ok {
		l.b.sink.Message(channel, id, []byte(msg))
	}
}

// told runs there, too: between what came before and what is newer.
func (l *lane) told(s rueidis.PubSubSubscription) {
	channel, ok := l.b.channel(s.Channel)
	if !ok || l.b.closed.Load() {
		return
	}
	switch s.Kind {
	case "subscribe", "ssubscribe":
		l.b.Stats.Subscribed.Add(1)
		l.b.sink.Joined(channel)
	case "sunsubscribe": // its slot has moved, if nobody here wanted that
		l.b.moved(s.Channel)
	}
}

// subscribe and unsubscribe send names in one go; failed are those that the
// server does not want here.
func (l *lane) subscribe(ctx context.Context, names []string, sharded bool) (failed []string, err error) {
	b := l.conn.B()
	return l.send(ctx, names, func(some ...string) rueidis.Completed {
		if sharded {
			return b.Ssubscribe().Channel(some...).Build()
		}
		return b.Subscribe().Channel(some...).Build()
	})
}

func (l *lane) unsubscribe(ctx context.Context, names []string, sharded bool) error {
	b := l.conn.B()
	_, err := l.send(ctx, names, func(some ...string) rueidis.Completed {
		if sharded {
			return b.Sunsubscribe().Channel(some...).Build()
		}
		return b.Unsubscribe().Channel(some...).Build()
	})
	return err
}

// send makes one command of all names, in a cluster one of each, for one
// command may not be of several slots.
func (l *lane) send(ctx context.Context, names []string, build func(some ...string) rueidis.Completed) (failed []string, err error) {
	if l.addr == "" {
		if err := l.conn.Do(ctx, build(names...)).Error(); err != nil {
			return names, err
		}
		return nil, nil
	}
	cmds := make([]rueidis.Completed, len(names))
	for i, name := range names {
		cmds[i] = build(name)
	}
	for i, res := range l.conn.DoMulti(ctx, cmds...) {
		if e := res.Error(); e != nil {
			failed = append(failed, names[i])
			err = e
		}
	}
	return failed, err
}

// master tells whether the other side still is one, and answers.
func (l *lane) master(ctx context.Context) bool {
	role, err := l.conn.Do(ctx, l.conn.B().Role().Build()).ToArray()
	if err != nil || len(role) == 0 {
		return false
	}
	what, err := role[0].ToString()
	return err == nil && what == "master"
}
