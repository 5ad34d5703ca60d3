package proxy

import (
	"testing"
	"testing/synctest"
	"unsafe"
)

type deaf struct{ ended bool }

func (*deaf) Ask(*Tunnel, *Exchange) bool    { return true }
func (*deaf) Begin(*Tunnel, *Exchange) Terms { return Terms{} }
func (*deaf) Heard(*Tunnel, []byte)          {}
func (d *deaf) End(*Tunnel)                  { d.ended = true }

// What writes to a socket that is closed meanwhile may write to another client.
func TestATunnelEndsBehindThePostThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &deaf{}
		tun := &Tunnel{posts: newPosts(), route: &Route{Watch: w}}
		q := tun.posts
		q.posting = true
		go tun.close()
		if synctest.Wait(); w.ended {
			t.Error("it ended before")
		}
		q.mu.Lock()
		q.posting = false
		tun.hand()
		q.mu.Unlock()
		if synctest.Wait(); !w.ended {
			t.Error("it never ends")
		}
	})
}

func TestAPostThatGoesAtOnceLooksAtOneLine(t *testing.T) {
	var q posts
	if end := unsafe.Offsetof(q.queue) + unsafe.Sizeof(q.queue); end > 64 {
		t.Errorf("what it needs is %d bytes, 64 at most", end)
	}
	if size := unsafe.Sizeof(q); size <= 112 || size > 128 { // what the allocator puts on lines of their own
		t.Errorf("posts are %d bytes, 113 to 128 are on lines of their own", size)
	}
}
