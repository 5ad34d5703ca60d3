// Command nethttp is an app that says which instance answers, counts a
// session's visits, and has a chat. It knows of no other instance.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	http.HandleFunc("/", visit)
	http.HandleFunc("/chat", chat)
	srv := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT")}
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-told.Done()
		_ = srv.Shutdown(context.Background())
	}()
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-ended
}

//go:embed page.html
var page string

type session struct {
	Visits int `json:"visits"`
}

func visit(w http.ResponseWriter, r *http.Request) {
	var s session
	_ = json.Unmarshal([]byte(r.Header.Get("X-Session-Data")), &s)
	s.Visits++
	set, _ := json.Marshal(s)
	w.Header().Set("X-Session-Set", string(set))
	w.Header().Set("Vary", "Accept")
	text, kind := "%s", "text/plain"
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		text, kind = page, "text/html"
	}
	w.Header().Set("Content-Type", kind)
	fmt.Fprintf(w, text, fmt.Sprintf("instance %s, visit %d\n", os.Getenv("MULTISERVER_INSTANCE"), s.Visits))
}
