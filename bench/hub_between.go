//go:build linux

package main

import (
	"context"
	bigendian "encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// hubBetween is how long messages take from a publisher at one node to a member at the other.
func (f *Field) hubBetween(ctx context.Context, a, b *hubNode) error {
	conns, err := openTunnels(b.addr(), 1, hubSize)
	if err != nil {
		return err
	}
	defer conns[0].Close()
	time.Sleep(wsRest) // until Redis knows that it listens
	for round := range f.Rounds {
		all := int(f.Time.Seconds() * hubRate)
		_ = conns[0].SetReadDeadline(time.Now().Add(f.Time + hubSettles/3))
		waits := make(chan []time.Duration, 1)
		go func() { waits <- hear(conns[0], all) }()
		began := time.Now()
		for i := range all {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / hubRate)))
			message := bigendian.BigEndian.AppendUint64(make([]byte, 0, hubSize), uint64(time.Now().UnixNano()))
			if err := a.publish(ctx, message[:hubSize]); err != nil {
				return err
			}
		}
		select {
		case got := <-waits:
			if lost := all - len(got); lost > 0 {
				f.promise(lost < all/100, "%d of %d messages were lost, as Redis was late", lost, all)
			}
			if len(got) == 0 {
				return fmt.Errorf("no message came")
			}
			slices.Sort(got)
			p50, p99 := got[len(got)/2], got[len(got)*99/100]
			f.hubRow("on the other node, p50", "multiserver", 1, round+1, float64(p50.Microseconds()), "µs")
			f.hubRow("on the other node, p99", "multiserver", 1, round+1, float64(p99.Microseconds()), "µs")
			f.promise(p50 <= hubMedian && p99 <= hubLate, "at %d a second half of the messages are on the other node within %v, 99 of 100 within %v", hubRate, p50, p99)
		case <-time.After(hubSettles):
			return fmt.Errorf("not all messages came")
		}
	}
	return nil
}

// hear reads n messages that begin with when they were sent.
func hear(c net.Conn, n int) (waits []time.Duration) {
	frame := make([]byte, len(wsFrame(false, hubSize)))
	for range n {
		if _, err := io.ReadFull(c, frame); err != nil {
			break
		}
		sent := bigendian.BigEndian.Uint64(frame[len(frame)-hubSize:])
		waits = append(waits, time.Duration(uint64(time.Now().UnixNano())-sent))
	}
	return waits
}
