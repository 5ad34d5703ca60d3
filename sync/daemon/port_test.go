package daemon

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestNobodyIsAtAnAddressUntilSomebodyListens(t *testing.T) {
	addr := Addr(t)
	refused := func(when string) {
		t.Helper()
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			nc.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v", when, err)
		}
	}
	refused("at first")
	for range 3 {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		there, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		there.Close() // first, so that it is this end that waits (TIME-WAIT)
		nc.Close()
		refused("after a listener has gone")
	}
}

func TestAnAddressIsGivenToNobodyElse(t *testing.T) {
	mine := map[string]bool{}
	for range 200 {
		mine[Addr(t)] = true
	}
	if len(mine) != 200 {
		t.Errorf("200 asked for, %d got", len(mine))
	}
	for range 1000 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if mine[ln.Addr().String()] {
			t.Errorf("%s was given away", ln.Addr())
		}
	}
}
