package proxy_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"multiserver/proxy"
)

// watcher takes down what it is told.
type watcher struct {
	terms  proxy.Terms
	begun  chan *proxy.Tunnel
	heard  chan string
	ended  chan *proxy.Tunnel
	onAsk  func(x *proxy.Exchange)
	onGo   func(x *proxy.Exchange)
	onHear func(t *proxy.Tunnel, message string)
}

func newWatcher() *watcher {
	return &watcher{begun: make(chan *proxy.Tunnel, 10), heard: make(chan string, 1000), ended: make(chan *proxy.Tunnel, 10)}
}

func (w *watcher) Ask(_ *proxy.Tunnel, x *proxy.Exchange) bool {
	if w.onAsk != nil {
		w.onAsk(x)
	}
	return true
}

func (w *watcher) Begin(t *proxy.Tunnel, x *proxy.Exchange) proxy.Terms {
	if w.onGo != nil {
		w.onGo(x)
	}
	w.begun <- t
	return w.terms
}

func (w *watcher) Heard(t *proxy.Tunnel, b []byte) {
	w.heard <- string(b)
	if w.onHear != nil {
		w.onHear(t, string(b))
	}
}

func (w *watcher) End(t *proxy.Tunnel) { w.ended <- t }

// watchedTunnel is one with its far ends in hand, and what its watcher has.
func watchedTunnel(t *testing.T, w *watcher) (client, origin net.Conn, p *proxy.Proxy, tun *proxy.Tunnel) {
	client, origin, p = tunnelTo(t, func(o *proxy.Options) { o.Watch = w })
	return client, origin, p, <-w.begun
}

// wsFrame is a frame of a server.
func wsFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

// readFrame reads what wsFrame makes.
func readFrame(in *bufio.Reader) (first byte, payload []byte, err error) {
	var h [8]byte
	if _, err = io.ReadFull(in, h[:2]); err != nil {
		return 0, nil, err
	}
	first = h[0]
	n := uint64(h[1])
	switch n {
	case 126:
		_, err = io.ReadFull(in, h[:2])
		n = uint64(binary.BigEndian.Uint16(h[:]))
	case 127:
		_, err = io.ReadFull(in, h[:8])
		n = binary.BigEndian.Uint64(h[:])
	}
	if err == nil && n > 1<<24 {
		err = fmt.Errorf("a frame of %d bytes", n)
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(in, payload)
	return first, payload, err
}

// A backend's messages, in random fragments with pings between, come chopped at
// random while others post: all arrive whole and each in its order.
func TestPostsFallBetweenMessages(t *testing.T) {
	const messages, posters, each = 300, 3, 150
	r := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	w := newWatcher()
	w.terms = proxy.Terms{Budget: 64 << 20, Eat: []byte("c:"), Strip: []byte("m:")}
	client, origin, _, tun := watchedTunnel(t, w)

	var stream []byte
	var want, eaten []string
	for i := range messages {
		m := fmt.Sprintf("backend %d %0*d", i, r.IntN(200), 0)
		if r.IntN(30) == 0 {
			m += string(bytes.Repeat([]byte("x"), 70000))
		}
		said := m
		switch r.IntN(4) {
		case 0:
			said = "m:" + m
		case 1:
			if len(m) < 60000 {
				said = "c:" + m
			}
		}
		if said[:2] == "c:" {
			eaten = append(eaten, m)
		} else {
			want = append(want, m)
		}
		first, rest := byte(0x01), []byte(said)
		for whole := false; !whole; first = 0 {
			n := len(rest)
			if r.IntN(2) == 0 {
				n = r.IntN(len(rest) + 1)
			}
			if first == 1 { // a prefix lies in the first frame
				n = max(n, 2)
			}
			whole = n == len(rest)
			if whole {
				first |= 0x80
			}
			stream = append(stream, wsFrame(first, rest[:n])...)
			rest = rest[n:]
			if !whole && r.IntN(3) == 0 {
				stream = append(stream, wsFrame(0x89, []byte("ping"))...)
			}
		}
	}
	go func() {
		for len(stream) > 0 {
			n := min(len(stream), 1+r.IntN(1<<r.IntN(16)))
			origin.Write(stream[:n])
			stream = stream[n:]
		}
		shut(origin)
	}()
	var all sync.WaitGroup
	for k := range posters {
		all.Go(func() {
			for i := range each {
				f := wsFrame(0x82, fmt.Appendf(nil, "post %d %d", k, i))
				if i%10 == 9 {
					f = wsFrame(0x8a, fmt.Appendf(nil, "pong %d", k))
				}
				if v := tun.Post(f); v > proxy.Queued && v != proxy.Closed {
					t.Errorf("%v", v)
				}
			}
		})
	}
	in := bufio.NewReader(client)
	message, open := []byte{}, false
	last := map[int]int{}
	for {
		first, payload, err := readFrame(in)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var k, i int
		switch op := first & 0x0f; {
		case op >= 8:
		case op == 2:
			if _, err := fmt.Sscanf(string(payload), "post %d %d", &k, &i); err != nil || open || last[k] > i {
				t.Fatalf("%q within a message: %v, behind %d", payload, open, last[k])
			}
			last[k] = i
		default:
			if op == 0 != open {
				t.Fatalf("a frame %x, within a message: %v", first, open)
			}
			message = append(message, payload...)
			if open = first&0x80 == 0; !open {
				if len(want) == 0 || string(message) != want[0] {
					t.Fatalf("%.40q, want %.40q", message, want)
				}
				want, message = want[1:], message[:0]
			}
		}
	}
	all.Wait()
	if len(want) > 0 {
		t.Errorf("%d messages did not come", len(want))
	}
	for _, m := range eaten {
		if got := <-w.heard; got != m {
			t.Fatalf("heard %.40q, want %.40q", got, m)
		}
	}
	client.Close()
	if <-w.ended; tun.Post(wsFrame(0x81, nil)) != proxy.Closed {
		t.Error("a tunnel that has ended takes a frame")
	}
}

func TestPostWaitsForTheEndOfAMessage(t *testing.T) {
	client, origin, _, tun := watchedTunnel(t, newWatcher())
	post := func(f []byte, want proxy.Verdict) {
		t.Helper()
		v := tun.Post(f)
		if v == proxy.Queued && want == proxy.Written {
			return // the direction has not let go yet
		}
		if v != want {
			t.Errorf("%v, want %v", v, want)
		}
	}
	next := func(want []byte) { t.Helper(); says(t, client, string(want)) }
	post(wsFrame(0x81, []byte("one")), proxy.Written)
	next(wsFrame(0x81, []byte("one")))
	put(t, origin, "\x01\x02he")
	next([]byte("\x01\x02he"))
	post(wsFrame(0x81, []byte("two")), proxy.Queued)
	post(wsFrame(0x89, nil), proxy.Written)
	next(wsFrame(0x89, nil))
	put(t, origin, "\x00\x02l")
	next([]byte("\x00\x02l"))
	post(wsFrame(0x89, nil), proxy.Queued)
	put(t, origin, "l")
	next([]byte("l" + "\x89\x00"))
	put(t, origin, "\x80\x01o")
	next(append([]byte("\x80\x01o"), wsFrame(0x81, []byte("two"))...))
	put(t, origin, "\x88\x00")
	next([]byte("\x88\x00"))
	await(t, "the tunnel to be at its end", func() bool { return tun.Post(wsFrame(0x81, nil)) == proxy.Closed })
}

// A client that does not read gets what fits its budget, and costs nobody else
// any time.
func TestPostIsRefusedOverBudget(t *testing.T) {
	w := newWatcher()
	w.terms.Budget = 64 << 10
	client, _, p, tun := watchedTunnel(t, w)
	frame := wsFrame(0x82, make([]byte, 16<<10))
	sent, seen := 0, [proxy.Verdicts]int{}
	for seen[proxy.Full] < 10 {
		v := tun.Post(frame)
		if seen[v]++; v == proxy.Written || v == proxy.Queued {
			sent++
		}
	}
	if seen[proxy.Queued] == 0 || seen[proxy.Closed] > 0 {
		t.Errorf("%v", seen)
	}
	in := bufio.NewReader(client)
	for range sent { // what was taken comes, whole
		if first, b, err := readFrame(in); err != nil || first != 0x82 || len(b) != 16<<10 {
			t.Fatal(first, len(b), err)
		}
	}
	for { // again, and now it is told to go
		if tun.Post(frame) == proxy.Full {
			break
		}
	}
	tun.Close(1013, "too slow")
	<-w.ended
	await(t, "the tunnel to end", func() bool { return p.Stats.Upgraded.Load() == 0 })
}

func TestCloseFollowsWhatWasPosted(t *testing.T) {
	w := newWatcher()
	client, origin, _, tun := watchedTunnel(t, w)
	put(t, origin, "\x01\x01a") // within a message
	says(t, client, "\x01\x01a")
	tun.Close(4000, "enough")
	tun.Close(4001, "more than that")
	says(t, client, "\x88\x08\x0f\xa0enough")
	put(t, client, "\x88\x82\x00\x00\x00\x00\x0f\xa0")
	says(t, origin, "\x88\x82\x00\x00\x00\x00\x0f\xa0")
	origin.Close()
	ends(t, client)
	client.Close()
	<-w.ended
}

func TestHandshakeIsEdited(t *testing.T) {
	w := newWatcher()
	path := make(chan string, 1)
	w.onAsk = func(x *proxy.Exchange) {
		path <- string(x.Req.Path)
		x.Ask().Drop("referer")
		x.Ask().Add("X-Id", []byte("7"))
	}
	w.onGo = func(x *proxy.Exchange) {
		x.Tell().Drop("x-secret")
		x.Tell().Add("X-Told", []byte("yes"))
	}
	asked := make(chan string, 1)
	addr := listen(t, func(nc net.Conn) {
		defer nc.Close()
		in := bufio.NewReader(nc)
		var head string
		for line := ""; line != "\r\n"; head += line {
			var err error
			if line, err = in.ReadString('\n'); err != nil {
				return
			}
		}
		asked <- head
		io.WriteString(nc, switching[:len(switching)-2]+"X-Secret: room\r\n\r\n")
		io.Copy(nc, in)
	})
	front, _ := startProxyWith(t, func(o *proxy.Options) { o.Watch = w }, addr)
	nc := dial(t, front)
	fmt.Fprintf(nc, handshake, "/chat?a=b")
	in := bufio.NewReader(nc)
	var told string
	for line := ""; line != "\r\n"; told += line {
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	head := <-asked
	if path := <-path; path != "/chat?a=b" || !bytes.Contains([]byte(head), []byte("X-Id: 7\r\n")) || bytes.Contains([]byte(head), []byte("Referer")) {
		t.Errorf("asked %q", head)
	}
	if bytes.Contains([]byte(told), []byte("room")) || !bytes.Contains([]byte(told), []byte("X-Told: yes\r\n")) {
		t.Errorf("told %q", told)
	}
}

// What is posted in Begin follows the 101, and what is posted in Heard the
// message before.
func TestWatcherMayPostAtOnce(t *testing.T) {
	w := newWatcher()
	w.terms.Eat = []byte("c:")
	w.onHear = func(t *proxy.Tunnel, m string) { t.Post(wsFrame(0x81, []byte("heard "+m))) }
	client, origin, _, _ := watchedTunnel(t, w)
	put(t, origin, "\x81\x03one\x81\x03c:x\x81\x02c:\x81\x03two")
	says(t, client, "\x81\x03one\x81\x03two\x81\x07heard x\x81\x06heard ")
}

// Who would rather have what is new loses the oldest.
func TestOverBudgetTheOldestIsDropped(t *testing.T) {
	w := newWatcher()
	w.terms.Budget, w.terms.Evict = 64<<10, true
	client, _, p, tun := watchedTunnel(t, w)
	message := func(n int) []byte {
		return wsFrame(0x82, binary.BigEndian.AppendUint32(make([]byte, 16<<10), uint32(n)))
	}
	last, evicted := 0, 0
	for ; evicted < 10; last++ {
		switch v := tun.Post(message(last)); v {
		case proxy.Evicted:
			evicted++
		case proxy.Written, proxy.Queued:
		default:
			t.Fatal(v)
		}
	}
	for larger := wsFrame(0x82, make([]byte, 64<<10)); tun.Post(larger) != proxy.Full; last++ {
		if tun.Post(message(last)) == proxy.Evicted { // else what was queued has gone meanwhile
			evicted++
		}
	}
	in, seen, newest := bufio.NewReader(client), 0, -1
	for newest < last-1 { // in order, whole, and up to the newest
		_, b, err := readFrame(in)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) == 64<<10 {
			continue
		}
		n := int(binary.BigEndian.Uint32(b[16<<10:]))
		if n <= newest {
			t.Fatalf("%d behind %d", n, newest)
		}
		newest = n
		seen++
	}
	if seen == last || seen < last-evicted*5 {
		t.Errorf("%d of %d came, with %d that drove out others", seen, last, evicted)
	}
	tun.Close(1000, "")
	<-w.ended
	await(t, "the tunnel to end", func() bool { return p.Stats.Upgraded.Load() == 0 })
}
