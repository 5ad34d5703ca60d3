//go:build linux

package wire

import (
	"bytes"
	"io"
	"testing"
)

// inTurn has c be as it is in a turn.
func inTurn(t *testing.T, c *Conn) *Conn {
	t.Helper()
	c.MayPark(true)
	if !c.Settle() {
		t.Fatal("it does not settle")
	}
	c.inTurn = true
	return c
}

func TestWhatIsGatheredInATurnGoesAtOnce(t *testing.T) {
	near, far := tcp(t)
	c := inTurn(t, newGuard(t).conn(t, near))
	c.Cork()
	for range 3 {
		if err := c.Write([]byte("head "), []byte("body ")); err != nil {
			t.Fatal(err)
		}
	}
	if c.Wrote() != 0 || c.Owes() {
		t.Errorf("%d bytes were written, owes %v", c.Wrote(), c.Owes())
	}
	if err := c.Uncork(); err != nil || c.Wrote() != 30 || c.Owes() {
		t.Errorf("%v, %d bytes were written, owes %v", err, c.Wrote(), c.Owes())
	}
	got := make([]byte, 30)
	if _, err := io.ReadFull(far, got); err != nil || string(got) != "head body head body head body " {
		t.Errorf("%q, %v", got, err)
	}
}

// What a socket does not take in turns is written by who takes the connection
// aside, in order, whether it was gathered or not.
func TestWhatATurnCouldNotWriteIsWrittenAside(t *testing.T) {
	for _, corks := range []bool{false, true} {
		near, far := tcp(t)
		c := inTurn(t, newGuard(t).conn(t, near))
		var want bytes.Buffer
		for i := 0; !c.Owes() && want.Len() < 64<<20; i++ {
			if corks {
				c.Cork()
			}
			for k := range 5 {
				head, body := bytes.Repeat([]byte{byte(i)}, 100+k), bytes.Repeat([]byte{byte(k)}, 10000*k)
				if err := c.Write(head, body); err != nil {
					t.Fatal(err)
				}
				want.Write(head)
				want.Write(body)
			}
			if err := c.Uncork(); err != nil {
				t.Fatal(err)
			}
		}
		if !c.Owes() {
			t.Fatal("the socket takes all")
		}
		c.Write([]byte("last"), nil)
		want.WriteString("last")
		done := make(chan error, 1)
		go func() { done <- c.Aside() }()
		got := make([]byte, want.Len())
		if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("corks %v: other bytes, %v", corks, err)
		}
		if err := <-done; err != nil || c.Owes() {
			t.Errorf("%v, owes %v", err, c.Owes())
		}
	}
}

// A Post on a connection on which something lies is not made.
func TestPostLooksWhetherItsConnectionIsSilent(t *testing.T) {
	near, far := tcp(t)
	c := inTurn(t, newGuard(t).conn(t, near))
	io.WriteString(far, "unasked")
	for !c.Left() && c.hushed() { // until it is there
	}
	if got := c.Post(nil, AcquireBuffer(1)[:1], nil); got != Stale || c.Wrote() != 0 {
		t.Errorf("%d, %d bytes", got, c.Wrote())
	}
}
