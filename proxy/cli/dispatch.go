package cli

import (
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"
)

// The library's tables of commands and flags are walked here and not by its own
// Run, which prints help through text/template. A template calls methods by
// names that no linker can foresee, so that every exported method of every type
// would stay in the program: 15 MB, most of it commands that Redis may know.

// asksNext is the last argument of a shell that asks what may come there.
const asksNext = "--generate-bash-completion"

// dispatch runs the command that args name.
func (l *line) dispatch(args []string) error {
	completing := len(args) > 0 && args[len(args)-1] == asksNext && !slices.Contains(args, "--")
	if completing {
		args = args[:len(args)-1]
	}
	root := &cli.Command{Name: l.app.Name, Flags: l.app.Flags, Action: l.app.Action, Description: l.app.Description, Subcommands: l.app.Commands}
	return l.enter(nil, root, args, completing)
}

// enter is dispatch for what follows a command's name. Flags of the one around
// it may stand before that.
func (l *line) enter(around *cli.Context, c *cli.Command, args []string, completing bool) error {
	set, asked := flagsOf(c)
	if c.SkipFlagParsing {
		args = append([]string{"--"}, args...)
	}
	err := set.Parse(args)
	ctx := cli.NewContext(l.app, set, around)
	ctx.Command = c
	next := named(c.Subcommands, set.Arg(0))
	switch {
	case completing && next == nil:
		l.complete(ctx)
		return nil
	case completing:
	case err != nil:
		return l.usage(c.Name)
	case asked.help:
		_, err := io.WriteString(l.out, c.Description)
		return err
	case asked.version:
		_, err := fmt.Fprintln(l.out, version())
		return err
	}
	if next != nil {
		return l.enter(ctx, next, set.Args()[1:], completing)
	}
	return c.Action(ctx)
}

// asked is what may be asked of any command.
type asked struct{ help, version bool }

func flagsOf(c *cli.Command) (*flag.FlagSet, *asked) {
	set, a := flag.NewFlagSet(c.Name, flag.ContinueOnError), new(asked)
	set.SetOutput(io.Discard)
	for _, f := range c.Flags {
		_ = f.Apply(set) // it only notes what was typed
	}
	for _, name := range []string{"help", "h"} {
		set.BoolVar(&a.help, name, false, "")
	}
	if len(c.Subcommands) > 0 {
		for _, name := range []string{"version", "v"} {
			set.BoolVar(&a.version, name, false, "")
		}
	}
	return set, a
}

// named is a command; nil: there is none of that name.
func named(all []*cli.Command, name string) *cli.Command {
	i := slices.IndexFunc(all, func(c *cli.Command) bool { return c.HasName(name) })
	if i < 0 {
		return nil
	}
	return all[i]
}
