package cli

import (
	"slices"
	"strings"

	"multiserver/proxy/config"
)

// The app's own command line is behind "--": multiserver --spawn 4 -- node app.js.

// served are the commands that such a line goes with.
var served = []string{"", "run", "check"}

// withoutApp is the arguments before that: the app's name would be taken for a
// command, and its flags for ours. nil:
// nothing is to be done, as a shell asks what may follow there, and we do not
// know.
func (l *line) withoutApp() ([]string, error) {
	args, tail := cutTail(l.args)
	if tail == nil || slices.ContainsFunc(args, func(a string) bool { return a == "purge" || a == "publish" }) {
		return l.args, nil // they read their arguments themselves
	}
	if slices.Contains(tail, "--generate-bash-completion") {
		return nil, nil
	}
	raw, command := config.Raw{}, ""
	for _, a := range args {
		if l.isCommand(a) {
			command = a
			break
		}
	}
	set := lenient(raw)
	_ = set.Parse(args)
	if wrong := takeApp(raw, tail, command); len(wrong) > 0 {
		return nil, l.mistakes()
	}
	l.raw["spawn-command"] = raw["spawn-command"]
	return args, nil
}

// takeApp makes a setting of the words behind "--"; nil: there was none.
func takeApp(raw config.Raw, tail []string, command string) config.Mistakes {
	wrong := func(why string) config.Mistakes {
		return config.Mistakes{{From: "--", Value: strings.Join(tail, " "), Why: why}}
	}
	switch _, twice := raw["spawn-command"]; {
	case tail == nil:
		return nil
	case !slices.Contains(served, command):
		return wrong("nothing may follow")
	case len(tail) == 0:
		return wrong("nothing follows, want the app's command, as in --spawn 4 -- node app.js")
	case twice:
		return wrong("there is --spawn-command as well, want one of both")
	}
	raw.Add("spawn-command", "--", config.Line(tail))
	return nil
}
