package server

import (
	"slices"
	"strings"
	"testing"

	"multiserver/pool/balance"
	"multiserver/proxy/config"
)

// config may know no other room, so what it offers is held against what there
// is from here.
func TestEveryAlgorithmCanBeChosen(t *testing.T) {
	var names []string
	for _, row := range balance.Table {
		names = append(names, row.Name)
	}
	s := config.Lookup("balance")
	if !slices.Equal(s.Choices, names) {
		t.Errorf("--balance takes %v, the table has %v", s.Choices, names)
	}
	if s.Default != names[0] {
		t.Errorf("--balance is %s by default, in the table it is %s", s.Default, names[0])
	}
	for _, part := range config.Lookup("hash-on").Choices {
		if _, ok := parts[strings.TrimSuffix(part, ":")]; !ok {
			t.Errorf("--hash-on %s has nothing that does it", part)
		}
	}
}

func TestEveryAlgorithmServes(t *testing.T) {
	a, b := newApp(t), newApp(t)
	for _, row := range balance.Table {
		s := start(t, "--upstream "+a.URL+","+b.URL+";weight=2", "--balance "+row.Name)
		c := s.dial(t)
		for range 5 {
			c.want("/", "200 hello")
		}
	}
}
