package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// patience is for one who does not read.
const patience = time.Second

var (
	lock   sync.Mutex
	people = map[*websocket.Conn]bool{}
)

// chat relays what a client says to all who are there, until it leaves.
func chat(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(64 << 10)
	lock.Lock()
	people[c] = true
	lock.Unlock()
	for {
		kind, text, err := c.Read(context.Background())
		if err != nil {
			break
		}
		say(kind, text)
	}
	lock.Lock()
	delete(people, c)
	lock.Unlock()
}

func say(kind websocket.MessageType, text []byte) {
	lock.Lock()
	defer lock.Unlock()
	for c := range people {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_ = c.Write(ctx, kind, text) // who cannot be written to is closed, and leaves
		cancel()
	}
}
