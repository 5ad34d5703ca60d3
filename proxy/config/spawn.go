package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Spawn is an app that is run as several processes, beside the upstreams.
type Spawn struct {
	Instances int      // 0: none are run, and all else is zero, too; AutoSpawn: one for each core
	Command   []string // at least one word

	Dir    string // where they run; "": where we do
	User   string // whom they run as; "": as we do
	Socket bool   // they are given a Unix socket and no port
	Handed bool   // they are given a listener (LISTEN_FDS)

	Ready      time.Duration // to get ready
	StopSignal string        // by which they are told to end: TERM, INT, …
	Stop       time.Duration // to end, once told
	Surge      int           // replaced at once

	MaxMemory   int64         // bytes; 0: no limit
	MaxAge      time.Duration // 0: no limit
	MaxRequests int           // 0: no limit

	Watch []string // patterns of files whose change rolls them
	Hook  string   // told of events: a URL or a command; "": none
}

// AutoSpawn is Instances of --spawn auto.
const AutoSpawn = -1

const (
	auto          = "auto"
	mostInstances = 1024 // beyond, a typing error
)

// stopSignals are those that apps take for the end.
var stopSignals = []string{"TERM", "INT", "QUIT", "HUP", "USR1", "USR2"}

var spawnCount = spawned(value{
	read: func(c *Config, w string) error {
		if w == auto {
			c.Spawn.Instances = AutoSpawn
			return nil
		}
		n, err := strconv.Atoi(w)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange):
			return errors.New("neither a number nor auto; the command stands behind --, as in --spawn 4 -- node app.js")
		case err != nil || n < 1 || n > mostInstances:
			return fmt.Errorf("out of range, want 1 to %d, or auto for one on each core", mostInstances)
		}
		c.Spawn.Instances = n
		return nil
	},
	show: func(c *Config) []string {
		if c.Spawn.Instances == AutoSpawn {
			return []string{auto}
		}
		return []string{strconv.Itoa(c.Spawn.Instances)}
	},
})

var spawnCommand = spawned(value{
	read: func(c *Config, w string) (err error) {
		if c.Spawn.Command, err = splitLine(w); err == nil && len(c.Spawn.Command) == 0 {
			err = errors.New("empty, want the app's command, such as node app.js")
		}
		return err
	},
	show: func(c *Config) []string { return []string{Line(c.Spawn.Command)} },
})

var spawnWatch = spawned(value{
	read: func(c *Config, w string) error {
		if w != none {
			c.Spawn.Watch = append(c.Spawn.Watch, w)
		}
		return nil
	},
	show: func(c *Config) []string { return orWord(c.Spawn.Watch, none) },
})

// spawnText is a word that is taken as it is.
func spawnText(at func(*Spawn) *string) value {
	return spawned(value{
		read: func(c *Config, w string) error {
			if w != none {
				*at(&c.Spawn) = w
			}
			return nil
		},
		show: func(c *Config) []string { return []string{orNothing(*at(&c.Spawn), none)} },
	})
}

// spawned shows a setting only where there are processes for it.
func spawned(v value) value {
	return shownIf(func(c *Config) bool { return c.Spawn.Instances != 0 }, v)
}

// feeds tells whether raw brings a pool members.
func feeds(raw Raw) bool {
	_, upstream := raw["upstream"]
	_, spawn := raw["spawn"]
	return upstream || spawn
}

// checkSpawn finds what was given in vain, or without its other half.
func (c *Config) checkSpawn(add func(name, value, why string, args ...any), raw Raw) {
	_, given := raw["spawn"]
	_, command := raw["spawn-command"]
	switch {
	case given && !command:
		add("spawn", "", "no command, want the app's behind --, as in --spawn 4 -- node app.js")
	case given:
		c.checkRetired(add, raw)
	default:
		for i := range Settings {
			name := Settings[i].Name
			if g, in := raw[name]; in && strings.HasPrefix(name, "spawn-") && !off0(g) {
				value := ""
				if name == "spawn-command" {
					value = strings.Join(g.Words, " ")
				}
				add(name, value, "no processes are run, want --spawn N as well: how many")
			}
		}
		c.Spawn = Spawn{}
	}
}

// checkRetired finds limits that replace a process before it can be of use.
func (c *Config) checkRetired(add func(name, value, why string, args ...any), raw Raw) {
	if s := &c.Spawn; s.MaxAge > 0 && s.MaxAge < time.Second {
		add("spawn-max-age", showDuration(s.MaxAge), "they would do nothing but start, want 1s at least")
	}
	if _, given := raw["spawn-max-memory"]; given && c.Spawn.MaxMemory > 0 && c.Spawn.MaxMemory < 1<<20 {
		add("spawn-max-memory", showSize(c.Spawn.MaxMemory), "no process is that small, want 1MiB at least")
	}
}
