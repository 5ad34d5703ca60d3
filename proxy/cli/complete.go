package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"multiserver/proxy/config"
)

// Each script asks the program itself, by a hidden last argument,
// so that completion never knows other flags than the program does. The word
// being typed comes along only if it begins with a dash.
var scripts = map[string]string{
	"bash": `# multiserver completion for bash: source <(multiserver completion bash)
_multiserver() {
	local cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]:0:COMP_CWORD}") IFS=$'\n'
	if [[ $cur == -* ]]; then words+=("$cur"); fi
	COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -o bashdefault -o default -F _multiserver multiserver
`,
	"zsh": `#compdef multiserver
# multiserver completion for zsh: source <(multiserver completion zsh)
_multiserver() {
	local cur=${words[CURRENT]}
	local -a line=("${(@)words[1,CURRENT-1]}") found
	if [[ $cur == -* ]]; then line+=("$cur"); fi
	found=("${(@f)$("${line[@]}" --generate-bash-completion 2>/dev/null)}")
	if [[ -n ${found[1]} ]]; then compadd -a found; else _files; fi
}
compdef _multiserver multiserver
`,
	"fish": `# multiserver completion for fish: multiserver completion fish | source
function __multiserver_complete
	set -l line (commandline -opc)
	set -l cur (commandline -ct)
	if string match -q -- '-*' $cur
		set -a line $cur
	end
	$line --generate-bash-completion 2>/dev/null
end
complete -c multiserver -a '(__multiserver_complete)'
`,
}

var shells = []string{"bash", "zsh", "fish"}

func (l *line) completion(ctx *cli.Context) error {
	script, ok := scripts[ctx.Args().First()]
	if !ok || ctx.NArg() > 1 {
		return config.Mistakes{{From: "completion", Value: strings.Join(ctx.Args().Slice(), " "),
			Why: "want the name of one shell: " + strings.Join(shells, ", ")}}
	}
	_, err := fmt.Fprint(l.out, script)
	return err
}

// complete prints what may come next, where the last argument asks for that;
// l.args still has it.
func (l *line) complete(ctx *cli.Context) {
	last := ""
	if n := len(l.args); n >= 2 {
		last = l.args[n-2]
	}
	for _, word := range l.next(ctx.Command.Name, last) {
		fmt.Fprintln(l.out, word)
	}
}

// next is what may come after last: a value, a flag, a command.
func (l *line) next(command, last string) (words []string) {
	switch command {
	case "purge":
		return l.nextOf(purgeFlags, last, "--prefix", "--tag")
	case "publish":
		return l.nextOf(publishFlags, last)
	}
	if s := config.Lookup(strings.TrimLeft(last, "-")); s != nil && strings.HasPrefix(last, "-") && !s.Switch() {
		if len(s.Choices) > 0 {
			return s.Choices
		}
		return nil // its value: the shell offers files
	}
	if strings.HasPrefix(last, "-") {
		return l.unused()
	}
	if command == "completion" {
		return shells
	}
	if command == l.app.Name || command == "help" {
		for _, c := range l.app.Commands {
			words = append(words, c.Name)
		}
	}
	return words
}

// unused is every flag that may still be given.
func (l *line) unused() (flags []string) {
	for i := range config.Settings {
		s := &config.Settings[i]
		if s.Many || !slices.Contains(l.args, "--"+s.Name) {
			flags = append(flags, "--"+s.Name)
		}
	}
	return append(flags, "--help")
}
