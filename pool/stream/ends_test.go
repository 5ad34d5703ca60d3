package stream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

func TestInterimAnswersComeAsTheyAre(t *testing.T) {
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body) // for which x/net says 100, but only before 103
		w.Header().Set("Link", "</a>; rel=preload")
		w.WriteHeader(103)
		w.Write(b)
	})
	nc := s.open()
	defer nc.Close()
	io.WriteString(nc, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	r := bufio.NewReader(nc)
	for _, want := range []int{100, 103, 200} {
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != want {
			t.Fatalf("%v, %v; want %d", res, err, want)
		}
		if want == 100 {
			io.WriteString(nc, "ab")
		}
	}
}

func TestBothDirectionsFlowAtOnce(t *testing.T) {
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		b := make([]byte, 10)
		for {
			n, err := r.Body.Read(b)
			w.Write(b[:n])
			w.(http.Flusher).Flush()
			if err != nil {
				return
			}
		}
	})
	nc := s.open()
	defer nc.Close()
	io.WriteString(nc, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 { // beyond what run fetches
		w := fmt.Sprintf("%08d", i)
		io.WriteString(nc, "8\r\n"+w+"\r\n")
		b := make([]byte, 8)
		if _, err := io.ReadFull(res.Body, b); err != nil || string(b) != w {
			t.Fatalf("%q, %v; want %q", b, err, w)
		}
	}
	io.WriteString(nc, "0\r\n\r\n")
	if rest, err := io.ReadAll(res.Body); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v behind the end", rest, err)
	}
}

func TestWhatIsGivenUpIsReset(t *testing.T) {
	here, gone := make(chan struct{}, 1), make(chan struct{}, 1)
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		here <- struct{}{}
		if r.URL.Path == "/body" {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	for _, path := range []string{"/wait", "/body"} {
		nc := s.open()
		io.WriteString(nc, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
		<-here
		if path == "/body" {
			nc.Read(make([]byte, 1000))
		}
		nc.Close()
		select {
		case <-gone:
		case <-time.After(patience):
			t.Fatalf("%s: the upstream did not hear of it", path)
		}
	}
	if n := s.dials.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestAnAnswerThatBreaksOffIsNoEnd(t *testing.T) {
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sized" {
			w.Header().Set("Content-Length", "10")
		}
		io.WriteString(w, "abc")
		w.(http.Flusher).Flush()
		if r.URL.Path == "/short" {
			return
		}
		panic(http.ErrAbortHandler)
	})
	for _, path := range []string{"/chunked", "/sized"} {
		nc := s.open()
		io.WriteString(nc, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
		b, err := io.ReadAll(nc)
		if err == nil || strings.HasSuffix(string(b), "0\r\n\r\n") {
			t.Errorf("%s: %q, %v", path, b, err)
		}
		nc.Close()
	}
	nc := s.open()
	defer nc.Close()
	io.WriteString(nc, strings.Replace(get, "/", "/cut", 1))
	nc.Read(make([]byte, 1000))
	s.cut()
	if b, err := io.ReadAll(nc); err == nil {
		t.Errorf("%q and a clean end from a connection that was cut", b)
	}
}

func TestDeadlinesEndWaitsAndCanBeTakenBack(t *testing.T) {
	go1 := make(chan struct{})
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		<-go1
		io.WriteString(w, strings.Repeat("x", 10<<10))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	nc := s.open()
	defer nc.Close()
	io.WriteString(nc, get)
	b := make([]byte, 20<<10)
	past := time.Unix(1, 0)
	time.AfterFunc(20*time.Millisecond, func() { nc.SetReadDeadline(past) })
	if _, err := nc.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v, want a deadline", err)
	}
	nc.SetReadDeadline(time.Time{})
	close(go1)
	for n := 0; n < 10<<10; {
		k, err := nc.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	time.AfterFunc(20*time.Millisecond, func() { nc.SetReadDeadline(past) })
	for {
		if _, err := nc.Read(b); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v, want a deadline", err)
			}
			return
		}
	}
}

func TestWhoTakesNothingStopsWhoSends(t *testing.T) {
	hold := make(chan struct{})
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) { <-hold })
	defer close(hold)
	nc := s.open()
	defer nc.Close()
	io.WriteString(nc, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
	time.AfterFunc(300*time.Millisecond, func() { nc.SetWriteDeadline(time.Unix(1, 0)) })
	n := 0
	for b := make([]byte, 64<<10); n < 100e6; {
		k, err := nc.Write(b)
		n += k
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	if n > 4<<20 {
		t.Errorf("%d bytes went to nobody", n)
	}
}

// What the core has in hand is taken although the upstream does not want it, so
// that its answer is read.
func TestAnEarlyAnswerIsRead(t *testing.T) {
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(413) })
	for range 20 {
		res, _ := s.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + strings.Repeat("x", 60000))
		if res.StatusCode != 413 {
			t.Fatal(res.Status)
		}
	}
}

func TestConnectionsAreSharedUpToTheirLimit(t *testing.T) {
	hold := make(chan struct{})
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) { <-hold }, func(s *stage, o *Options) {
		s.h2.MaxConcurrentStreams = 5
	})
	var wg sync.WaitGroup
	for range 22 {
		wg.Go(func() {
			if res, _ := s.ask(get); res.StatusCode != 200 {
				t.Error(res.Status)
			}
		})
	}
	until(t, "all have a connection", func() bool { return s.dials.Load() == 5 })
	close(hold)
	wg.Wait()
	if n := s.dials.Load(); n != 5 {
		t.Errorf("%d connections for 22 streams, want 5", n)
	}
	if n := s.Idle(); n != 5 {
		t.Errorf("%d idle, want 5", n)
	}
}

func TestAPlaceThatWasNotUsedIsFreeAgain(t *testing.T) {
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {}, func(s *stage, o *Options) {
		s.h2.MaxConcurrentStreams = 1
	})
	for range 10 {
		s.open().Close()
		until(t, "it is idle", func() bool { return s.Idle() == 1 })
	}
	if n := s.dials.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestIdleAndOldConnectionsAreClosed(t *testing.T) {
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {}, func(s *stage, o *Options) {
		o.IdleAge, o.MaxAge = 1500*time.Millisecond, time.Hour
	})
	s.ask(get)
	if s.Idle() != 1 {
		t.Errorf("%d idle, want 1", s.Idle())
	}
	until(t, "the idle one is closed", func() bool { return s.Idle() == 0 })

	s = newStage(t, func(w http.ResponseWriter, r *http.Request) {}, func(s *stage, o *Options) { o.MaxAge = 50 * time.Millisecond })
	s.ask(get)
	time.Sleep(60 * time.Millisecond)
	s.ask(get)
	if n := s.dials.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// A server that stops says with GOAWAY which streams it has not looked at.
func TestARequestThatAGoAwayOvertookGoesOutAgain(t *testing.T) {
	f := func(name string, refuse func(fr *http2.Framer, id uint32)) {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
			real, first := s.opt.Dial, true
			s.opt.Dial = func(ctx context.Context) (net.Conn, error) {
				if !first {
					return real(ctx)
				}
				first = false
				ln, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					return nil, err
				}
				s.wg.Go(func() { defer ln.Close(); refuser(ln, refuse) })
				return net.Dial("tcp", ln.Addr().String())
			}
			_, body := s.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
			if body != "abc" {
				t.Errorf("%q", body)
			}
			if n := s.dials.Load(); n != 1 {
				t.Errorf("%d other connections, want 1", n)
			}
		})
	}
	f("GOAWAY", func(fr *http2.Framer, id uint32) { _ = fr.WriteGoAway(0, http2.ErrCodeNo, nil) })
	f("REFUSED_STREAM", func(fr *http2.Framer, id uint32) {
		_ = fr.WriteRSTStream(id, http2.ErrCodeRefusedStream)
		_ = fr.WriteGoAway(id, http2.ErrCodeNo, nil)
	})
}

// refuser greets, and refuses each stream once its body is there.
func refuser(ln net.Listener, refuse func(*http2.Framer, uint32)) {
	nc, err := ln.Accept()
	if err != nil {
		return
	}
	defer nc.Close()
	if _, err := io.ReadFull(nc, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	fr := http2.NewFramer(nc, nc)
	_ = fr.WriteSettings()
	for {
		frame, err := fr.ReadFrame()
		if err != nil {
			return
		}
		switch fm := frame.(type) {
		case *http2.PingFrame:
			_ = fr.WritePing(true, fm.Data)
		case *http2.DataFrame:
			if fm.StreamEnded() {
				refuse(fr, fm.StreamID)
			}
		}
	}
}

// What is one line in HTTP/2 must not become two in HTTP/1.1.
func TestAnUpstreamCannotAddLines(t *testing.T) {
	f := func(where string, head, trailer []hpack.HeaderField) {
		t.Helper()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { refuser(ln, func(fr *http2.Framer, id uint32) { answerWith(fr, id, head, trailer) }) })
		s := New(Options{MaxHead: 1 << 16, Dial: func(context.Context) (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }})
		defer s.Close()
		nc, _, err := s.Open(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		io.WriteString(nc, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
		b, err := io.ReadAll(nc)
		if err == nil || strings.Contains(string(b), "evil") {
			t.Errorf("%s: %q, %v", where, b, err)
		}
	}
	ok := []hpack.HeaderField{{Name: ":status", Value: "200"}}
	for _, bad := range []hpack.HeaderField{
		{Name: "a", Value: "b\r\nevil: c"}, {Name: "a", Value: "b\nevil: c"}, {Name: "a", Value: "evil\x00"},
		{Name: "evil: c\r\na", Value: "b"}, {Name: "evil a", Value: "b"}, {Name: "Evil", Value: "b"},
	} {
		f("head", append(ok[:1:1], bad), nil)
		f("trailer", ok, []hpack.HeaderField{bad})
	}
}

// answerWith answers a stream with these fields.
func answerWith(fr *http2.Framer, id uint32, head, trailer []hpack.HeaderField) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, part := range [][]hpack.HeaderField{head, trailer} {
		for _, f := range part {
			_ = e.WriteField(f)
		}
		if len(part) > 0 {
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b.Bytes(), EndHeaders: true, EndStream: len(trailer) > 0 && &part[0] == &trailer[0]})
		}
		b.Reset()
	}
}

func TestWhatSpeaksNoHTTP2IsFoundOutAtOnce(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{}
	go srv.Serve(ln)
	defer srv.Close()
	s := New(Options{MaxHead: 1 << 16, Dial: func(context.Context) (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }})
	defer s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, _, err := s.Open(ctx); !NoHTTP2(err) || ctx.Err() != nil {
		t.Errorf("%v, want no HTTP/2", err)
	}
}

func TestACoreThatFramesBadlyIsStopped(t *testing.T) {
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	const chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, bad := range []string{
		"nonsense\r\n\r\n",
		get + "x",
		chunked + "x\r\n",
		chunked + "\r\n",
		chunked + "1\r\nab\r\n",
		chunked + "1;a=b\r\n",
		chunked + "1\nab",
		chunked + "1111111111111111\r\n",
		chunked + "0\r\nno colon\r\n",
		chunked + "0\r\n\r\nx",
	} {
		nc := s.open()
		if _, err := io.WriteString(nc, bad); err == nil {
			t.Errorf("%q went through", bad)
		}
		nc.Close()
	}
}
