package main

import (
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

// patience is for one who does not read.
const patience = time.Second

var (
	lock    sync.Mutex // of people, and of writing to them
	people  = map[*websocket.Conn]bool{}
	upgrade websocket.FastHTTPUpgrader
)

// chat relays what a client says to all who are there, until it leaves.
func chat(ctx *fasthttp.RequestCtx) {
	_ = upgrade.Upgrade(ctx, func(c *websocket.Conn) {
		c.SetReadLimit(64 << 10)
		lock.Lock()
		people[c] = true
		lock.Unlock()
		for {
			kind, text, err := c.ReadMessage()
			if err != nil {
				break
			}
			say(kind, text)
		}
		lock.Lock()
		delete(people, c)
		lock.Unlock()
	})
}

func say(kind int, text []byte) {
	lock.Lock()
	defer lock.Unlock()
	for c := range people {
		_ = c.SetWriteDeadline(time.Now().Add(patience))
		if c.WriteMessage(kind, text) != nil {
			_ = c.NetConn().Close() // which ends its reading
		}
	}
}
