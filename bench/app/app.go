//go:build linux

// Package app is an origin whose shortcomings can be set: how long it takes,
// how many it serves at once, and how it fails. It runs as a process of its
// own, so that it can be killed, stopped and started like one.
//
// What it counts it has written down before it answers (Ledger), so that even
// a kill leaves no doubt about what was done.
package app

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"multiserver/bench/steady"
)

// Options are an App's, as flags of its process.
type Options struct {
	ID      string        // told in each answer, in the field Origin
	Addr    string        // where it serves
	Control string        // where it is told how to fail: GET /MODE; "": nowhere
	Service time.Duration // how long it works on each request
	AtOnce  int           // requests it works on at once, others wait in turn; 0: all
	Ledger  string        // the file that has the tag of each POST; "": none
}

// Args is o as Main reads it.
func (o *Options) Args() []string {
	return []string{"-id", o.ID, "-addr", o.Addr, "-control", o.Control, "-service", o.Service.String(),
		"-at-once", fmt.Sprint(o.AtOnce), "-ledger", o.Ledger}
}

// App is one origin.
type App struct {
	Options
	mode   atomic.Int32
	ln     *listener
	ledger *os.File
	slots  chan *steady.Timer // who holds one works; nil: no bound
}

// Main runs an App until it fails.
func Main(args []string) error {
	a := new(App)
	f := flag.NewFlagSet("app", flag.ContinueOnError)
	f.StringVar(&a.ID, "id", "", "")
	f.StringVar(&a.Addr, "addr", "", "")
	f.StringVar(&a.Control, "control", "", "")
	f.DurationVar(&a.Service, "service", 0, "")
	f.IntVar(&a.AtOnce, "at-once", 0, "")
	f.StringVar(&a.Options.Ledger, "ledger", "", "")
	if err := f.Parse(args); err != nil {
		return err
	}
	return a.serve()
}

func (a *App) serve() error {
	if err := a.open(); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return err
	}
	a.ln = newListener(ln.(*net.TCPListener))
	if a.Control != "" {
		c, err := net.Listen("tcp", a.Control)
		if err != nil {
			return err
		}
		go http.Serve(c, http.HandlerFunc(a.control))
	}
	return http.Serve(a.ln, a)
}

func (a *App) open() (err error) {
	if a.Options.Ledger != "" {
		if a.ledger, err = os.OpenFile(a.Options.Ledger, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return err
		}
	}
	if a.Service == 0 {
		return nil
	}
	const unbounded = 1024 // more at once than any measure asks
	n := a.AtOnce
	if n == 0 {
		n = unbounded
	}
	a.slots = make(chan *steady.Timer, n)
	for range n {
		t, err := steady.NewTimer()
		if err != nil {
			return err
		}
		a.slots <- t
	}
	return nil
}

// ServeHTTP works, fails as it was told, counts POSTs and answers with the tag.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mode := Mode(a.mode.Load())
	w.Header().Set("Origin", a.ID)
	if mode == Fail || mode == Sour && r.URL.Path != Health {
		http.Error(w, "told to fail", http.StatusInternalServerError)
		return
	}
	if mode == Deaf {
		w.Header().Set("Connection", "close") // a kept one needs nobody to accept it
	}
	if r.URL.Path == Health {
		return
	}
	tag, ok := a.tag(r)
	if !ok || !a.work(r) {
		http.Error(w, "incomplete", http.StatusBadRequest)
		return
	}
	body := Body(tag)
	if mode == Reset {
		cut(w, body)
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	io.WriteString(w, body)
}

// Health is the path that is answered without work.
const Health = "/health"

// tag is the request's: the path's last part, and of a POST the body has to be
// the same. That is counted: from here on it was done.
func (a *App) tag(r *http.Request) (string, bool) {
	tag := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if r.Method != http.MethodPost {
		return tag, true
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || string(body) != tag {
		return tag, false
	}
	if a.ledger == nil {
		return tag, true
	}
	_, err = a.ledger.WriteString(tag + "\n") // one write: whole, or not at all
	return tag, err == nil
}

// work takes the service time, after those who came before; false: the client
// left meanwhile.
func (a *App) work(r *http.Request) bool {
	if a.slots == nil {
		return true
	}
	select {
	case t := <-a.slots:
		err := t.Sleep(a.Service)
		a.slots <- t
		return err == nil
	case <-r.Context().Done():
		return false
	}
}

// bodySize is what Body comes to, but for a tag that fills no line evenly.
const bodySize = 1 << 10

// Body is the answer to a request of that tag: nothing but the tag, so that a
// part of another's answer anywhere in it shows.
func Body(tag string) string {
	return strings.Repeat(tag+"\n", bodySize/(len(tag)+1))
}
