package bridge

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/fasthttp/websocket"

	"multiserver/sync/hub"
)

// Times of a silent connection.
const (
	shakeWithin = 5 * time.Second
	pingEvery   = 20 * time.Second
	silence     = 2*pingEvery + pingEvery/2 // then it is dead
	writeWithin = 5 * time.Second
	againFirst  = 100 * time.Millisecond // and twice that each time
	againLast   = 5 * time.Second
	stayed      = 10 * time.Second // for so long: it begins with againFirst again
)

// ear is one silent connection, again and again.
type ear struct {
	room     *room
	instance string
	ctx      context.Context
	stop     context.CancelFunc
}

func newEar(r *room, instance string) *ear {
	e := &ear{room: r, instance: instance}
	e.ctx, e.stop = context.WithCancel(r.b.ctx)
	r.b.all.Go(e.run)
	return e
}

func (e *ear) run() {
	defer e.stop()
	wait := againFirst
	for {
		began := time.Now()
		e.listen()
		if time.Since(began) > stayed {
			wait = againFirst
		}
		t := time.NewTimer(wait/2 + rand.N(wait))
		select {
		case <-e.ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		wait = min(2*wait, againLast)
	}
}

// listen connects and shows what it hears until the connection ends.
func (e *ear) listen() {
	s := &e.room.b.Stats
	conn, err := e.connect()
	if err != nil {
		if e.ctx.Err() == nil {
			s.NotLet.Add(1)
			e.room.b.opt.Log.Debug("bridge: not let in", "instance", e.instance, "path", e.room.path, "err", err)
		}
		return
	}
	s.Ears.Add(1)
	defer s.Ears.Add(-1)
	end := context.AfterFunc(e.ctx, func() { e.farewell(conn) })
	defer end()
	defer conn.Close()
	done := make(chan struct{})
	pings := make(chan struct{})
	go func() { defer close(pings); ping(conn, done) }()
	err = e.hear(conn)
	close(done)
	<-pings
	switch {
	case e.ctx.Err() != nil:
		return
	case errors.Is(err, websocket.ErrReadLimit):
		s.TooLong.Add(1)
	}
	s.Lost.Add(1)
	e.room.share.silent(e.instance)
}

func (e *ear) connect() (*websocket.Conn, error) {
	b := e.room.b
	ctx, cancel := context.WithTimeout(e.ctx, shakeWithin)
	defer cancel()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return b.opt.Dial(ctx, e.instance) }
	d := websocket.Dialer{NetDialContext: dial, HandshakeTimeout: shakeWithin, ReadBufferSize: 1 << 10, WriteBufferSize: 256}
	header := make(http.Header)
	if b.opt.Header != nil {
		header = b.opt.Header(e.room.path).Clone()
	}
	header.Set("X-WS-Bridge", "1")
	host := header.Get("Host")
	if host == "" {
		host = "bridge"
	}
	conn, res, err := d.DialContext(ctx, "ws://"+host+e.room.path, header)
	if res != nil && res.Body != nil {
		_ = res.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(hub.MaxMessage)
	return conn, nil
}

// hear reads messages until there are no more.
func (e *ear) hear(conn *websocket.Conn) error {
	awake := func(string) error { return conn.SetReadDeadline(time.Now().Add(silence)) }
	conn.SetPongHandler(awake)
	for {
		_ = awake("")
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		e.room.heard(e.instance, hub.Kind(kind), data)
	}
}

// ping is how a connection that is silent on both sides is known to live.
func ping(conn *websocket.Conn, done <-chan struct{}) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
			_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWithin))
		}
	}
}

// farewell ends a connection as RFC 6455 section 7.1.2 wants it, and does not wait.
func (e *ear) farewell(conn *websocket.Conn) {
	bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
	_ = conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
	_ = conn.Close()
}
