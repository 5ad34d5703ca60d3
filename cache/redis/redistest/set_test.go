package redistest

import (
	"testing"
)

func TestServersAnswerAndStop(t *testing.T) {
	t.Run("single", func(t *testing.T) {
		t.Parallel()
		s := Single(t)
		if pong, err := s.Do("PING"); pong != "PONG" {
			t.Errorf("PING: %q %v", pong, err)
		}
		s.Kill()
		if _, err := s.Do("PING"); err == nil {
			t.Error("answers when killed")
		}
		if err := s.Restart(); err != nil {
			t.Error(err)
		}
	})
	t.Run("sentinel", func(t *testing.T) { t.Parallel(); t.Log(Sentinel(t).URL) })
	t.Run("cluster", func(t *testing.T) { t.Parallel(); t.Log(Cluster(t).URL) })
}
