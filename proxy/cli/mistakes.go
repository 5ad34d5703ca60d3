package cli

import (
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"multiserver/proxy/config"
	"multiserver/proxy/server"
)

// usage is what is wrong with flags, one of which could not be read.
func (l *line) usage(command string) error {
	if all := l.mistakes(); len(all) > 0 {
		return all
	}
	// A flag that there is, but not for this command.
	return config.Mistakes{{From: command, Why: "takes no flags (see multiserver help)"}}
}

// mistakes reads the arguments again, past everything that cannot be read, so
// that one run shows all there is to put right: here what is no flag, no
// value and no command, and from config what the settings have.
func (l *line) mistakes() (all config.Mistakes) {
	raw, command := config.Raw{}, ""
	set := lenient(raw)
	args, tail := cutTail(l.args)
	for len(args) > 0 {
		err := set.Parse(args)
		rest := set.Args()
		switch {
		case errors.Is(err, flag.ErrHelp):
		case err != nil:
			if len(rest) == len(args) {
				rest = rest[1:] // "---": the parser stops before it
			}
			m, unknown := l.unreadable(err)
			all = append(all, m)
			if unknown && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && !l.isCommand(rest[0]) {
				rest = rest[1:] // most likely its value
			}
		case len(rest) == 0:
		case command == "" && l.isCommand(rest[0]):
			command, rest = rest[0], rest[1:]
		case command == "purge" || command == "publish":
			rest = nil // reads its arguments itself
		case command == "completion":
			rest = rest[1:] // the shell's name, which completion looks at
		default:
			all = append(all, l.stray(rest[0], command != ""))
			rest = rest[1:]
		}
		args = rest
	}
	all = append(all, takeApp(raw, tail, command)...)
	if slices.Contains([]string{"", "run", "check"}, command) {
		all = append(all, settingMistakes(raw, len(all) > 0)...)
	}
	return all
}

// lenient has every flag there is, and tells nobody of mistakes.
func lenient(raw config.Raw) *flag.FlagSet {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, f := range settingFlags(raw) {
		_ = f.Apply(set)
	}
	set.Bool("version", false, "")
	set.Bool(printConfig, false, "")
	set.Bool("v", false, "")
	return set
}

// cutTail cuts the arguments at "--", after which none is a flag.
func cutTail(args []string) (before, tail []string) {
	if i := slices.Index(args, "--"); i >= 0 {
		return args[:i], args[i+1:]
	}
	return args, nil
}

// settingMistakes is what config says. After mistakes found before, an
// upstream that seems not to be given is most likely in one of them.
func settingMistakes(raw config.Raw, found bool) (m config.Mistakes) {
	raw.AddEnv(os.LookupEnv)
	_, inFile := raw["config"]
	if _, given := raw["upstream"]; found && !given && !inFile {
		raw.Add("upstream", "", "http://upstream.invalid")
	}
	_, err := config.Parse(raw, server.CheckFilter)
	errors.As(err, &m)
	return m
}

// unreadable puts the flag parser's words in ours. unknown says that the
// parser does not know the flag, so neither whether a value follows it.
func (l *line) unreadable(err error) (m config.Mistake, unknown bool) {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		return config.Mistake{From: plain("--" + name), Why: "unknown flag" + l.near(name)}, true
	}
	if name, ok := strings.CutPrefix(err.Error(), "flag needs an argument: -"); ok {
		if s := config.Lookup(name); s != nil {
			return config.Mistake{From: "--" + name, Why: "missing value, want " + s.Example()}, false
		}
	}
	if word, ok := strings.CutPrefix(err.Error(), "bad flag syntax: "); ok {
		return config.Mistake{From: strconv.Quote(word), Why: "not a flag, want --name"}, false
	}
	return config.Mistake{From: "multiserver", Why: plain(err.Error())}, false
}

// near is the flag that may have been meant, if one is near enough: without
// the same beginning the library's guesses are wild.
func (l *line) near(name string) string {
	guess := cli.SuggestFlag(l.app.Flags, name, true)
	if len(name) < 2 || !strings.HasPrefix(guess, "--"+name[:2]) {
		return " (see multiserver help)"
	}
	return ", did you mean " + guess + "?"
}

func (l *line) stray(word string, afterCommand bool) config.Mistake {
	m := config.Mistake{From: strconv.Quote(word)}
	if afterCommand {
		m.Why = "unexpected argument, every setting is a flag (see multiserver help)"
		return m
	}
	var names []string
	for _, c := range l.app.Commands {
		names = append(names, c.Name)
	}
	m.Why = "unknown command, want one of " + strings.Join(names, ", ")
	return m
}

func (l *line) isCommand(word string) bool { return l.app.Command(word) != nil }

// plain is s, or s in quotes if it would upset a terminal.
func plain(s string) string {
	if q := strconv.Quote(s); q != `"`+s+`"` {
		return q
	}
	return s
}
