package cli

import (
	"flag"

	"github.com/urfave/cli/v2"

	"multiserver/proxy/config"
)

// settingFlags makes a flag of each row of config's table. They only note
// what was typed; config checks it, all at once.
func settingFlags(raw config.Raw) []cli.Flag {
	flags := make([]cli.Flag, len(config.Settings))
	for i := range config.Settings {
		flags[i] = &settingFlag{&config.Settings[i], raw}
	}
	return flags
}

// printConfig is no setting: it has run print what it would serve by, and end.
const printConfig = "print-config"

func printFlag() cli.Flag {
	return &cli.BoolFlag{Name: printConfig, Usage: "print the effective configuration and end"}
}

// settingFlag is both the library's cli.Flag and the standard flag.Value.
type settingFlag struct {
	*config.Setting
	raw config.Raw
}

func (f *settingFlag) Names() []string { return []string{f.Name} }

func (f *settingFlag) IsSet() bool {
	_, ok := f.raw[f.Name]
	return ok
}

func (f *settingFlag) Apply(set *flag.FlagSet) error {
	set.Var(f, f.Name, f.Usage)
	return nil
}

func (f *settingFlag) Set(word string) error {
	f.raw.Add(f.Name, "--"+f.Name, word)
	return nil
}

func (f *settingFlag) IsBoolFlag() bool { return f.Switch() }

// String is asked of a zero settingFlag too, by package flag.
func (f *settingFlag) String() string { return "" }
