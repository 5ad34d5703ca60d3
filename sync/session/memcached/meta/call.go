package meta

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// call is one command on its way: begin, flags, ask, end.
type call struct {
	*conn
	server *server
	now    time.Time // when it began
}

// begin finds the server that has key and a connection to it, and writes the
// command's first words. Whoever has no error must call end.
func (c *Client) begin(ctx context.Context, verb string, key []byte) (call, error) {
	if !valid(key) {
		return call{}, ErrKey
	}
	if err := ctx.Err(); err != nil {
		return call{}, err
	}
	k := call{server: c.pick(key), now: time.Now()}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = k.now.Add(c.timeout)
	}
	var err error
	if k.conn, err = k.server.acquire(ctx, k.now, deadline); err != nil {
		return call{}, err
	}
	k.out = append(append(k.out[:0], verb...), key...)
	return k, nil
}

// size is that of the value which put sends.
func (k *call) size(n int) {
	k.out = strconv.AppendInt(append(k.out, ' '), int64(n), 10)
}

func (k *call) flag(letter byte, n uint64) {
	k.out = strconv.AppendUint(append(k.out, ' ', letter), n, 10)
}

// ask ends the command with its number and sends it, with body if it has one.
// A caller that reads a value asks conn for it before it calls end.
func (k *call) ask(body []byte) (reply, error) {
	k.opaque++
	k.flag('O', k.opaque)
	k.out = append(k.out, '\r', '\n')
	if body != nil {
		k.out = append(append(k.out, body...), '\r', '\n')
	}
	return k.conn.ask()
}

// end gives the connection back and says what the answer means; want is the
// code that the command hopes for.
func (k *call) end(r reply, err error, want code) error {
	if err == nil && r.code <= codeValue && r.code != want {
		err = errProtocol
	}
	k.server.release(k.conn, k.now, err)
	switch {
	case errors.Is(err, errRefused): // it answers: that is no reason to leave it alone
		return fmt.Errorf("memcached %s: %w", k.server.addr, err)
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return k.server.failed(errEnded)
	case err != nil:
		return k.server.failed(err)
	}
	k.server.well()
	return meaning[r.code]
}

var meaning = [...]error{codeDone: nil, codeValue: nil, codeMiss: ErrMiss, codeStays: ErrExists, codeConflict: ErrConflict}

var errEnded = errors.New("the connection ended before the answer")

func valid(key []byte) bool {
	for _, b := range key {
		if b <= ' ' || b == 0x7f {
			return false
		}
	}
	return len(key) > 0 && len(key) <= MaxKey
}
