package redis

import (
	"context"
	"testing"
)

func TestOpenRefusesOnlyWhatIsWrong(t *testing.T) {
	for _, o := range []Options{
		{URL: "nonsense"},
		{URL: "redis://h", Prefix: "a{b}"},
		{URL: "rediss://h", CAFile: "/does/not/exist"},
		{URL: "rediss://h", CAFile: "open_test.go"},
	} {
		if r, err := Open(context.Background(), o); err == nil {
			r.Close()
			t.Errorf("%+v: opened", o)
		}
	}
}
