package hubtest

import (
	"errors"
	"testing"

	"multiserver/sync/hub"
)

func restart(t *testing.T, s *Stage, channel string) {
	s.needDeath(t)
	a, b := s.Node(t), s.Node(t)
	channels := []string{channel, channel + "2", channel + "3"}
	b.Enter(channels...)
	before := b.Joins(channel)
	s.Kill()
	Until(t, "the loss is noticed", func() bool {
		_, _ = a.Try(channel, "lost", hub.History{})
		return !a.Up()
	})
	b.Join(channel + "4") // said while nobody is there
	b.Leave(channel + "3")
	s.Restart()
	Until(t, "the channel is joined again", func() bool { return b.Joins(channel) > before && b.Joins(channel+"4") > 0 })
	for _, c := range []string{channel, channel + "2", channel + "4"} {
		from := len(b.Heard(c))
		Until(t, "what is said is heard again", func() bool {
			_, _ = a.Try(c, "again", hub.History{})
			return len(b.Heard(c)) > from
		})
	}
	Until(t, "both are up", func() bool { return a.Up() && b.Up() })
}

// gap: what was said while a node heard nothing is found by Replay behind the
// last that it heard, from Joined on, and all that comes live is newer.
func gap(t *testing.T, s *Stage, channel string) {
	s.needHistory(t)
	s.needDeath(t)
	a, b := s.Node(t), s.Node(t)
	b.Enter(channel)
	old := a.Say(channel, "before", hour)
	Until(t, "it is heard", func() bool { return len(b.Heard(channel)) == 1 })
	joins := b.Joins(channel)
	s.Kill()
	s.Restart()
	a.persist(t, channel, "between")
	Until(t, "the channel is joined again", func() bool { return b.Joins(channel) > joins })
	_, newest, err := b.Kept(channel, old)
	if s.Forgets {
		if !errors.Is(err, hub.ErrEpoch) || newest.Epoch == old.Epoch {
			t.Errorf("a server that has forgotten says %v, %v", newest, err)
		}
		return
	}
	if err != nil || newest.Offset <= old.Offset {
		t.Errorf("newest %v behind %v, %v", newest, old, err)
	}
}

// failover: with enough channels, some are where the server dies.
func failover(t *testing.T, s *Stage, channel string) {
	if s.Failover == nil {
		t.Skip("there is nobody to take over")
	}
	a, b := s.Node(t), s.Node(t)
	var channels []string
	for i := range 20 {
		channels = append(channels, channel+word(i))
	}
	b.Enter(channels...)
	for _, c := range channels {
		a.Say(c, "before", hub.History{})
		Until(t, "it is heard", func() bool { return len(b.Heard(c)) == 1 })
	}
	s.Failover()
	for _, c := range channels {
		from := len(b.Heard(c))
		Until(t, "another takes over, and is heard", func() bool {
			_, _ = a.Try(c, "after", hub.History{})
			return len(b.Heard(c)) > from
		})
		if s.NoHistory {
			continue
		}
		a.persist(t, c, "kept")
		Until(t, "it is found there", func() bool {
			_, newest, err := b.Kept(c, hub.ID{})
			return err == nil && newest.Offset > 0
		})
	}
}

// persist publishes until it works.
func (n *Node) persist(t *testing.T, channel, msg string) {
	t.Helper()
	Until(t, "publishing works again", func() bool {
		_, err := n.Try(channel, msg, hour)
		return err == nil
	})
}

func (s *Stage) needDeath(t *testing.T) {
	if s.Kill == nil {
		t.Skip("there is no server that could die")
	}
}
