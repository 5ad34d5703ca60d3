package spawn

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What is beyond the limit of a second is counted and told of in the next one.
func TestWhoWritesTooMuchIsHeardInPart(t *testing.T) {
	f := func(what, line string, told, dropped int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			a := &App{opt: Options{Log: slog.New(slog.NewTextHandler(&log, nil))}}
			s := &stream{output: &output{child: &child{app: a}}, name: "stdout"}
			for range 2 {
				for range told + dropped {
					s.tell(line, false)
				}
				time.Sleep(time.Second)
			}
			s.owe()
			if n := strings.Count(log.String(), "msg="+line); n != 2*told {
				t.Errorf("%s: %d lines were told, want %d", what, n, 2*told)
			}
			if n := strings.Count(log.String(), fmt.Sprintf("lines were dropped\" app=\"\" instance=0 stream=stdout dropped=%d ", dropped)); n != 2 {
				t.Errorf("%s: told %d times of %d dropped, want twice", what, n, dropped)
			}
			if lines, lost := a.Stats.Lines.Load(), a.Stats.Dropped.Load(); lines != uint64(2*(told+dropped)) || lost != uint64(2*dropped) {
				t.Errorf("%s: %d lines counted, %d dropped", what, lines, lost)
			}
		})
	}
	f("many lines", "noise", maxLines, 3)
	f("long lines", strings.Repeat("x", maxBytes/16), 16, 3)
}
