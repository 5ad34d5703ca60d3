package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"multiserver/proxy"
	"multiserver/proxy/wire"
)

const (
	letGo      = "\x81\x04c:go"                     // Detach, by alone's watcher
	normal     = "\x88\x82\x00\x00\x00\x00\x03\xe8" // Close 1000 of a client
	pingMasked = "\x89\x82\x01\x02\x01\x02\x69\x6b" // Ping "hi" of a client
	pong       = "\x8a\x02hi"
)

// lone is a tunnel whose upstream wants to be let go when it says so.
func lone(t *testing.T, change func(*proxy.Options)) (client, origin net.Conn, p *proxy.Proxy, tun *proxy.Tunnel, w *watcher) {
	w = newWatcher()
	w.terms = proxy.Terms{Eat: []byte("c:"), Strip: []byte("m:")}
	w.onHear = func(t *proxy.Tunnel, _ string) { t.Detach() }
	client, origin, p = tunnelTo(t, func(o *proxy.Options) {
		o.Watch = w
		if change != nil {
			change(o)
		}
	})
	return client, origin, p, <-w.begun, w
}

func gone(t *testing.T, w *watcher, p *proxy.Proxy) {
	t.Helper()
	<-w.ended
	await(t, "the tunnel to end", func() bool { return p.Stats.Upgraded.Load() == 0 })
}

func TestAClientOutlivesItsUpstream(t *testing.T) {
	client, origin, p, tun, w := lone(t, nil)
	put(t, client, "\x81\x81\x00\x00\x00\x00a")
	says(t, origin, "\x81\x81\x00\x00\x00\x00a")
	put(t, origin, "\x81\x03m:1"+letGo+"\x81\x03m:2"+away)
	says(t, origin, normal)
	put(t, origin, "\x88\x02\x03\xe8")
	shut(origin)
	ends(t, origin)
	says(t, client, "\x81\x011")
	for i := range 3 {
		f := wsFrame(0x81, fmt.Append(nil, i))
		if v := tun.Post(f); v > proxy.Queued {
			t.Error(v)
		}
		says(t, client, string(f))
		put(t, client, "\x81\x81\x00\x00\x00\x00a"+pingMasked)
		says(t, client, pong)
	}
	put(t, client, "\x88\x82\x00\x00\x00\x00\x0f\xa0")
	says(t, client, "\x88\x02\x0f\xa0")
	ends(t, client)
	gone(t, w, p)
}

// One that does not answer our Close has its connection closed all the same.
func TestAnUpstreamThatIsLetGoNeedNotAnswer(t *testing.T) {
	client, origin, p, tun, w := lone(t, nil)
	put(t, origin, letGo)
	says(t, origin, normal)
	ends(t, origin)
	tun.Post(wsFrame(0x81, []byte("still")))
	says(t, client, "\x81\x05still")
	client.Close()
	gone(t, w, p)
}

func TestAClientAloneIsToldOfTheEnd(t *testing.T) {
	f := func(want string, tell func(p *proxy.Proxy, tun *proxy.Tunnel)) {
		t.Helper()
		client, origin, p, tun, w := lone(t, nil)
		put(t, origin, letGo)
		says(t, origin, normal)
		tell(p, tun)
		says(t, client, want)
		put(t, client, awayMasked)
		ends(t, client)
		gone(t, w, p)
	}
	f(away, func(p *proxy.Proxy, _ *proxy.Tunnel) { p.EndTunnels(1) })
	f("\x88\x05\x0f\xa0old", func(_ *proxy.Proxy, tun *proxy.Tunnel) { tun.Close(4000, "old") })
	f("\x81\x01a\x88\x02\x0f\xa0", func(_ *proxy.Proxy, tun *proxy.Tunnel) {
		tun.Post(wsFrame(0x81, []byte("a")))
		tun.Close(4000, "")
	})
}

func TestASilentClientAloneIsToldToGo(t *testing.T) {
	client, origin, p, _, w := lone(t, func(o *proxy.Options) { o.TunnelIdle = time.Second })
	put(t, origin, letGo)
	says(t, origin, normal)
	says(t, client, away)
	ends(t, client)
	gone(t, w, p)
}

// Where the client's stream stands when its upstream is let go does not matter.
func TestAnUpstreamIsLetGoAnywhereInTheClientsStream(t *testing.T) {
	stream := "\x81\xfe\x00\x80" + "keys" + string(bytes.Repeat([]byte("x"), 128)) + "\x89\x80keys" + pingMasked
	for n := 1; n < len(stream); n += 1 + n/20 {
		client, origin, p, _, w := lone(t, nil)
		put(t, client, stream[:n])
		says(t, origin, stream[:n])
		put(t, origin, letGo)
		shut(origin)
		got, err := io.ReadAll(origin)
		if want := ""; err != nil || string(got) != want && string(got) != normal {
			t.Fatalf("%q %v behind %d bytes", got, err, n)
		}
		put(t, client, stream[n:])
		if n < 128+8+6 {
			says(t, client, "\x8a\x00")
		}
		says(t, client, pong)
		client.Close()
		gone(t, w, p)
	}
}

func TestWhatIsNoFrameEndsAClientAlone(t *testing.T) {
	client, origin, p, _, w := lone(t, nil)
	put(t, origin, letGo)
	says(t, origin, normal)
	put(t, client, "GET / HTTP/1.1\r\n")
	says(t, client, "\x88\x02\x03\xea")
	ends(t, client)
	gone(t, w, p)
}

// One that has said nothing for a while is parked.
func TestAClientThatWasSilentIsHeardWithoutItsUpstream(t *testing.T) {
	client, origin, p, _, w := lone(t, nil)
	put(t, origin, letGo)
	says(t, origin, normal)
	origin.Close()
	for _, f := range [][2]string{{pingMasked, pong}, {pingMasked, pong}, {"\x88\x82\x00\x00\x00\x00\x0f\xa0", "\x88\x02\x0f\xa0"}} {
		time.Sleep(20 * wire.Tick)
		put(t, client, f[0])
		says(t, client, f[1])
	}
	ends(t, client)
	gone(t, w, p)
}

// Posts, pings, Closes and the end of an upstream meet in any order.
func TestAllAtOnceWhileAnUpstreamIsLetGo(t *testing.T) {
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			client, origin, p, tun, w := lone(t, nil)
			var busy sync.WaitGroup
			busy.Go(func() {
				for range 50 {
					tun.Post(wsFrame(0x81, []byte("posted")))
				}
				switch i % 3 {
				case 0:
					tun.Close(4000, "")
				case 1:
					p.EndTunnels(1)
				}
			})
			busy.Go(func() {
				for range 50 {
					_, _ = io.WriteString(client, pingMasked)
				}
				_, _ = io.WriteString(client, "\x88\x82\x00\x00\x00\x00\x0f\xa0")
			})
			busy.Go(func() {
				_, _ = io.WriteString(origin, letGo)
				_, _ = io.Copy(io.Discard, origin)
			})
			in, last := bufio.NewReader(client), byte(0)
			for {
				first, _, err := readFrame(in)
				if err == io.EOF && last != 0x88 {
					t.Errorf("the last frame was %x", last)
				}
				if err != nil {
					break
				}
				last = first
			}
			busy.Wait()
			gone(t, w, p)
		})
	}
	all.Wait()
}
