package grpctest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// each runs f by h2c on both sides, and by TLS on both.
func each(t *testing.T, f func(t *testing.T, cc *grpc.ClientConn, u *upstream), args ...string) {
	t.Run("h2c", func(t *testing.T) {
		u := startUpstream(t, nil)
		f(t, startFront(t, nil, append(args, "--upstream", "h2c://"+u.addr)...).dial(t, nil), u)
	})
	t.Run("tls", func(t *testing.T) {
		id := newIdentity(t)
		u := startUpstream(t, id)
		f(t, startFront(t, id, append(args, "--upstream", "h2://"+u.addr)...).dial(t, id), u)
	})
}

func TestFourShapesOfCalls(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		ctx := within(t, patience)
		var m msg
		must(t, cc.Invoke(ctx, "/test.Echo/Unary", bytesOf("hello"), &m))
		if string(m.Value) != "hello" {
			t.Errorf("unary: %q", m.Value)
		}

		s := begin(t, ctx, cc, "Collect")
		for _, w := range []string{"a", "b", "c"} {
			s.send(w)
		}
		must(t, s.CloseSend())
		s.want("abc")
		s.ends(codes.OK)

		s = begin(t, ctx, cc, "Spell")
		s.send("xyz")
		must(t, s.CloseSend())
		for _, w := range []string{"x", "y", "z"} {
			s.want(w)
		}
		s.ends(codes.OK)
		if v := s.Trailer()["x-tail"]; len(v) != 1 || v[0] != "t" {
			t.Errorf("trailer %q", v)
		}

		s = begin(t, ctx, cc, "Talk")
		for i := range 20 {
			w := fmt.Sprint("ping ", i)
			s.send(w)
			s.want(w) // before anything more is sent
			time.Sleep(time.Duration(rand.Intn(20)) * time.Millisecond)
		}
		must(t, s.CloseSend())
		s.ends(codes.OK)
	})
}

func (c call) ends(want codes.Code) {
	c.t.Helper()
	got, err := c.receive()
	if err == io.EOF {
		err = nil
	}
	if status.Code(err) != want {
		c.t.Errorf("%.40q, %v; want the end with %v", got, err, want)
	}
}

func TestMetadataPassesBothWays(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		ctx := metadata.AppendToOutgoingContext(within(t, patience), "x-ask", "a", "x-ask-bin", "\x00\x80\xff")
		var head, tail metadata.MD
		var m msg
		must(t, cc.Invoke(ctx, "/test.Echo/Unary", bytesOf(""), &m, grpc.Header(&head), grpc.Trailer(&tail)))
		f := func(md metadata.MD, name, want string) {
			t.Helper()
			if got := md[name]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		f(head, "x-head", "h")
		f(head, "x-head-bin", "\x00\xff")
		f(head, "x-echo-bin", "\x00\x80\xff")
		f(tail, "x-tail", "t")
		f(tail, "x-tail-bin", "\x01\xfe")
		f(tail, "x-echo", "a")
	})
}

func TestErrorsAreTheUpstreams(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		ctx := within(t, patience)
		var tail metadata.MD
		var m msg
		st := status.Convert(cc.Invoke(ctx, "/test.Echo/Fail", bytesOf(""), &m, grpc.Trailer(&tail)))
		if st.Code() != codes.FailedPrecondition || st.Message() != "nein: \"ä\" %" || len(st.Details()) != 1 || first(tail["x-tail"]) != "t" {
			t.Errorf("%v %q %v %v", st.Code(), st.Message(), st.Details(), tail)
		}
		if err := cc.Invoke(ctx, "/test.Echo/None", bytesOf(""), &m); status.Code(err) != codes.Unimplemented {
			t.Errorf("unknown method: %v", err)
		}
		best := time.Hour
		for i := 0; i < 50 && best > 80*time.Millisecond; i++ { // a busy machine is late at times, but not always
			s := begin(t, ctx, cc, "Talk")
			s.send("a")
			s.want("a")
			began := time.Now()
			s.send("fail") // and the client does not end its side
			s.ends(codes.Aborted)
			best = min(best, time.Since(began))
		}
		if best > 80*time.Millisecond {
			t.Errorf("an end by the server's word took %v at least", best)
		}
	})
}

func TestDeadlinesAndCancelsReachTheServer(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		var m msg
		err := cc.Invoke(within(t, 300*time.Millisecond), "/test.Echo/Hang", bytesOf(""), &m)
		if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("deadline: %v", err)
		}
		if d := <-u.deadline; d <= 0 || d > 300*time.Millisecond {
			t.Errorf("the server was given %v", d)
		}
		u.ended(t)

		ctx, cancel := context.WithCancel(within(t, patience))
		go func() {
			<-u.deadline
			cancel()
		}()
		if err := cc.Invoke(ctx, "/test.Echo/Hang", bytesOf(""), &m); status.Code(err) != codes.Canceled {
			t.Errorf("cancel: %v", err)
		}
		u.ended(t)

		ctx, cancel = context.WithCancel(within(t, patience))
		s := begin(t, ctx, cc, "Talk")
		s.send("a")
		s.want("a")
		cancel()
		u.ended(t)
	})
}

// ended waits for a server's call to end, soon.
func (u *upstream) ended(t *testing.T) {
	t.Helper()
	select {
	case <-u.cancelled:
	case <-time.After(patience):
		t.Fatal("the server did not hear of it")
	}
}

func TestLargeMessages(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		ctx := within(t, patience)
		b := make([]byte, 4<<20)
		rand.New(rand.NewSource(1)).Read(b)
		var m msg
		must(t, cc.Invoke(ctx, "/test.Echo/Unary", bytesOf(string(b)), &m))
		if sha256.Sum256(m.Value) != sha256.Sum256(b) {
			t.Errorf("unary: %d bytes, not those that were sent", len(m.Value))
		}
		s := begin(t, ctx, cc, "Talk")
		for range 4 {
			s.send(string(b))
			s.want(string(b))
		}
		must(t, s.CloseSend())
		s.ends(codes.OK)
	})
}

func TestManyStreamsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		ctx := within(t, patience)
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				s := begin(t, ctx, cc, "Talk")
				for j := range 10 {
					w := strings.Repeat(fmt.Sprint(i, "-", j, " "), i*20)
					if s.SendMsg(bytesOf(w)) != nil {
						t.Error("cannot send")
						return
					}
					if got, err := s.receive(); got != w || err != nil {
						t.Errorf("%.20q: %.20q, %v", w, got, err)
						return
					}
				}
				_ = s.CloseSend()
				s.ends(codes.OK)
			})
		}
		wg.Wait()
		if n := u.ln.count(); n > 3 {
			t.Errorf("%d connections to the upstream for 100 streams", n)
		}
	})
}

// Who reads slowly stops who sends, and not only our memory from being small.
func TestASlowReaderStopsTheSender(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		ctx, cancel := context.WithCancel(within(t, patience))
		s := begin(t, ctx, cc, "Flood")
		s.send("")
		must(t, s.CloseSend())
		var before int64 = -1
		until(t, "the sender waits", func() bool {
			time.Sleep(100 * time.Millisecond)
			n := u.sent.Load()
			stopped := n == before && n > 0
			before = n
			return stopped
		})
		if most := int64(8 << 20 / (16 << 10)); before > most {
			t.Errorf("%d messages of 16 KiB sent to nobody, want at most %d", before, most)
		}
		for range 2 * before { // and goes on when it is read
			if _, err := s.receive(); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		u.ended(t)
	})
}

func TestAQuietStreamStays(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		s := begin(t, within(t, patience), cc, "Talk")
		s.send("a")
		s.want("a")
		time.Sleep(time.Second)
		s.send("b")
		s.want("b")
		must(t, s.CloseSend())
		s.ends(codes.OK)
	}, "--idle-timeout", "300ms")
}

func TestAnUpstreamThatDiesIsNoEnd(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		ctx := within(t, patience)
		s := begin(t, ctx, cc, "Talk")
		s.send("a")
		s.want("a")
		u.ln.cut()
		if w, err := s.receive(); err == nil || err == io.EOF || status.Code(err) == codes.DeadlineExceeded {
			t.Errorf("%q, %v: want a failure, at once", w, err)
		} else {
			t.Log(err)
		}
		var m msg // and the next call takes a new connection
		if err := cc.Invoke(ctx, "/test.Echo/Unary", bytesOf("b"), &m); err != nil || string(m.Value) != "b" {
			t.Errorf("%q, %v", m.Value, err)
		}
	})
}

func TestNobodyThereIsUnavailable(t *testing.T) {
	cc := startFront(t, nil, "--upstream", "h2c://127.0.0.1:1").dial(t, nil)
	var m msg
	if err := cc.Invoke(within(t, patience), "/test.Echo/Unary", bytesOf(""), &m); status.Code(err) != codes.Unavailable {
		t.Errorf("%v, want Unavailable", err)
	}
}

func TestAnUpstreamThatDiesBeforeItAnswersIsUnavailable(t *testing.T) {
	each(t, func(t *testing.T, cc *grpc.ClientConn, u *upstream) {
		ctx := within(t, patience)
		go func() {
			<-u.deadline // it has the call
			u.ln.cut()
		}()
		var m msg
		err := cc.Invoke(ctx, "/test.Echo/Hang", bytesOf("a"), &m)
		if st := status.Convert(err); st.Code() != codes.Unavailable || st.Message() != "Bad Gateway: broken" {
			t.Errorf("%v, want Unavailable", err)
		}
	})
}

func TestOurOwnAnswersSpeakGRPC(t *testing.T) {
	u := startUpstream(t, nil)
	f := func(size int, want codes.Code, message string, args ...string) {
		t.Helper()
		cc := startFront(t, nil, append(args, "--upstream", "h2c://"+u.addr)...).dial(t, nil)
		var m msg
		err := cc.Invoke(within(t, patience), "/test.Echo/Unary", bytesOf(strings.Repeat("x", size)), &m)
		if st := status.Convert(err); st.Code() != want || st.Message() != message {
			t.Errorf("%v: %v, want %v: %s", args, err, want, message)
		}
	}
	f(1, codes.OK, "")
	f(100<<10, codes.ResourceExhausted, "Request Entity Too Large: body too large", "--max-body", "1KiB")
}

// An upstream that is replaced says GOAWAY. A call that meets it just then goes
// out again, there or elsewhere, as long as its request is here whole; one whose
// body still flows cannot: its client is told that it may try again.
func TestAServerThatStopsLosesNextToNoCall(t *testing.T) {
	old, other := startUpstream(t, nil), startUpstream(t, nil)
	cc := startFront(t, nil, "--upstream", "h2c://"+old.addr, "--upstream", "h2c://"+other.addr).dial(t, nil)
	ctx := within(t, patience)
	var wg sync.WaitGroup
	var failed atomic.Int64
	for range 20 {
		wg.Go(func() {
			for i := range 50 {
				var m msg
				if err := cc.Invoke(ctx, "/test.Echo/Sleep", bytesOf(strings.Repeat("x", i%7)), &m); err != nil {
					failed.Add(1)
					if status.Code(err) != codes.Unavailable {
						t.Error(err)
					}
				}
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	old.GracefulStop()
	wg.Wait()
	if n := failed.Load(); n > 5 {
		t.Errorf("%d of 1000 calls failed", n)
	}
}

// The same with one upstream, which comes back at its place: what was under way
// ends, what comes meanwhile is told that nobody is there, or waits.
func TestAnUpstreamThatComesBack(t *testing.T) {
	u := startUpstream(t, nil)
	cc := startFront(t, nil, "--upstream", "h2c://"+u.addr).dial(t, nil)
	ctx := within(t, patience)
	var m msg
	must(t, cc.Invoke(ctx, "/test.Echo/Unary", bytesOf("a"), &m))
	s := begin(t, ctx, cc, "Talk")
	s.send("a")
	s.want("a")
	stopped := make(chan struct{})
	go func() {
		u.GracefulStop() // takes no more, and waits for the call
		close(stopped)
	}()
	time.Sleep(50 * time.Millisecond)
	s.send("b")
	s.want("b")
	if err := cc.Invoke(ctx, "/test.Echo/Unary", bytesOf("a"), &m); status.Code(err) != codes.Unavailable {
		t.Errorf("%v from nobody, want Unavailable", err)
	}
	must(t, s.CloseSend())
	s.ends(codes.OK)
	<-stopped
	ln, err := net.Listen("tcp", u.addr)
	must(t, err)
	serveUpstream(t, ln, nil)
	until(t, "it is back", func() bool { return cc.Invoke(ctx, "/test.Echo/Unary", bytesOf("c"), &m) == nil })
}
