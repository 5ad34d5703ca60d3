package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"multiserver/proxy/config"
	"multiserver/proxy/server"
)

// line is one command line: what was typed, and what it amounts to.
type line struct {
	args []string // without the program's name
	out  io.Writer
	raw  config.Raw // what the flags gave; the environment joins in config
	app  *cli.App

	handed handed // sockets, beside the words
}

func newLine(args []string, out io.Writer) *line {
	help := appHelp()
	l := &line{args: args, out: out, raw: config.Raw{}}
	l.app = &cli.App{
		Name:        "multiserver",
		Description: help, // the page of help, as for each command
		// Flags may stand before the command's name or after it. Without a
		// name the command is run.
		Flags:  append(settingFlags(l.raw), printFlag()),
		Action: l.serve,
		Commands: []*cli.Command{
			l.command("run", "serve, until SIGTERM or SIGINT (the default)", l.serve, printFlag()),
			l.command("check", "check the flags as run would, and print what they amount to", l.check),
			l.command("demo", "run three small instances of an app, with the proxy in front", l.demo),
			l.purgeCommand(),
			l.publishCommand(),
			l.upgradeCommand(),
			l.bare("schema", "print the JSON Schema of the file that --config reads, for editors", "", l.schema),
			l.bare("version", "print the version", "", l.version),
			l.bare("completion", "print the completion script for a shell", "bash|zsh|fish", l.completion),
			{Name: "help", Aliases: []string{"h"}, Usage: "print this page, or a command's", Description: help, Action: l.help},
		},
	}
	return l
}

// command has all settings as flags.
func (l *line) command(name, usage string, action cli.ActionFunc, more ...cli.Flag) *cli.Command {
	c := l.bare(name, usage, "", action)
	c.Flags = append(settingFlags(l.raw), more...)
	c.Description = commandHelp(name, usage)
	return c
}

// bare has no flags.
func (l *line) bare(name, usage, args string, action cli.ActionFunc) *cli.Command {
	return &cli.Command{
		Name:        name,
		Usage:       usage,
		Action:      action,
		Description: strings.TrimSpace("usage: multiserver "+name+" "+args) + "\n\n" + usage + "\n",
	}
}

// run does what the line asks for. A mistake in it comes as config.Mistakes.
func (l *line) run() error {
	args, err := l.withoutApp()
	if err != nil || args == nil {
		return err
	}
	return l.dispatch(args)
}

// config is what the flags and the environment amount to.
func (l *line) config(ctx *cli.Context) (*config.Config, error) {
	if ctx.Args().Present() { // a stray one
		return nil, l.mistakes()
	}
	l.raw.AddEnv(os.LookupEnv)
	return l.reread()
}

// reread is config again: what has changed is in files.
func (l *line) reread() (*config.Config, error) { return config.Parse(l.raw, server.CheckFilter) }

func (l *line) serve(ctx *cli.Context) error {
	c, err := l.config(ctx)
	if err != nil {
		return err
	}
	if ctx.Bool(printConfig) {
		return l.effective(c)
	}
	return serve(c, stages{handed: &l.handed, reread: l.reread})
}

func (l *line) check(ctx *cli.Context) error {
	c, err := l.config(ctx)
	if err != nil {
		return err
	}
	if err := l.effective(c); err != nil || c.File == "" {
		return err
	}
	_, err = fmt.Fprint(l.out, "\n"+c.Explain())
	return err
}

// effective prints what is decided: as flags, or as a file if there is one.
func (l *line) effective(c *config.Config) error {
	text := strings.Join(c.Lines(), "\n") + "\n"
	if c.File != "" {
		text = c.YAML()
	}
	_, err := fmt.Fprint(l.out, text)
	return err
}

func (l *line) schema(ctx *cli.Context) error {
	if ctx.Args().Present() {
		return l.mistakes()
	}
	_, err := l.out.Write(config.Schema())
	return err
}

func (l *line) version(ctx *cli.Context) error {
	if ctx.Args().Present() {
		return l.mistakes()
	}
	_, err := fmt.Fprintln(l.out, version())
	return err
}
