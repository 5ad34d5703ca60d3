// Command nethttp is an app that says which instance answers, and counts a
// session's visits.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	srv := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: http.HandlerFunc(visit)}
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

type session struct {
	Visits int `json:"visits"`
}

func visit(w http.ResponseWriter, r *http.Request) {
	var s session
	_ = json.Unmarshal([]byte(r.Header.Get("X-Session-Data")), &s)
	s.Visits++
	text, _ := json.Marshal(s)
	w.Header().Set("X-Session-Set", string(text))
	fmt.Fprintf(w, "instance %s, visit %d\n", os.Getenv("MULTISERVER_INSTANCE"), s.Visits)
}
