package balance

// sticky finds hosts by ID.
type sticky struct {
	at   map[uint64]int
	free Picker
}

// Sticky takes the host whose ID the key is. Without a key, or when that host
// is gone, it takes turns by weight, and the request's answer should carry the
// new host's ID back to the client.
func Sticky(s Set) Picker {
	p := &sticky{make(map[uint64]int, len(s.Hosts)), RoundRobin(s)}
	for i := range s.Hosts {
		p.at[s.Hosts[i].ID] = i
	}
	return p
}

func (s *sticky) Pick(key uint64) int {
	if key != 0 {
		if i, ok := s.at[key]; ok {
			return i
		}
	}
	return s.free.Pick(0)
}
