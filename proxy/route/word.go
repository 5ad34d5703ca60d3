package route

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"strings"
)

// readHost gives a host in the spelling that it is looked up in.
func readHost(word string) (string, error) {
	name := strings.TrimPrefix(word, "*.")
	switch {
	case word == "" || name == "":
		return "", errors.New("missing name, want one such as example.org, or no host at all for any")
	case word == "*":
		return "", errors.New("any host is what a route without a host has: leave it out, or want *.example.org")
	case strings.Contains(name, "*"):
		return "", errors.New("a * stands for whole labels in front of a domain, want *.example.org")
	case strings.Contains(name, "://"):
		return "", errors.New("has a scheme, want the host alone, such as example.org")
	case strings.Contains(name, "/"):
		return "", errors.New("has a path, want the host alone, and the path in a list of its own")
	}
	if ip, ok := address(name); ok {
		if name != word {
			return "", errors.New("nothing is below an address, want it without the *")
		}
		return ip, nil
	}
	if host, port, ok := strings.Cut(name, ":"); ok {
		return "", fmt.Errorf("has a port (%s), want the host alone: %s", port, host)
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if err := checkLabel(label); err != nil {
			return "", err
		}
	}
	if len(name) > 253 {
		return "", fmt.Errorf("a name of %d bytes, DNS has at most 253", len(name))
	}
	return strings.ToLower(strings.TrimSuffix(word, ".")), nil
}

// address takes IPv6 addresses, as they are and in brackets, in any spelling.
func address(name string) (string, bool) {
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	if err != nil || !ip.Is6() || ip.Zone() != "" {
		return "", false
	}
	return "[" + ip.String() + "]", true
}

func checkLabel(label string) error {
	if label == "" {
		return errors.New("nothing between two dots")
	}
	for _, c := range label {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		case c > 127:
			return fmt.Errorf("%q in the name, want the name's ASCII form (xn--…)", c)
		default:
			return fmt.Errorf("%q is not allowed in a host's name", c)
		}
	}
	return nil
}

func readPath(word string) (path, error) {
	switch {
	case word == "":
		return path{}, errors.New("missing, want one such as /a, /a/* or ~ and a regular expression, or no path at all for any")
	case word[0] == '~':
		return readExpression(word)
	case word[0] != '/':
		return path{}, fmt.Errorf("want it to begin with a slash, such as /%s, or with ~ for a regular expression", word)
	case strings.ContainsAny(word, "?#"):
		return path{}, errors.New("the query does not belong to the path, want it in query, and the path alone")
	}
	name, below := strings.CutSuffix(word, "/*")
	if err := checkStars(name, word); err != nil {
		return path{}, err
	}
	if below && name == "" {
		return path{word: word, below: true}, nil
	}
	buf := reading{}.append(nil, []byte(name))
	if err := checkReading(name, string(buf)); err != nil {
		return path{}, err
	}
	p := path{word: string(buf), segments: strings.Split(string(buf[1:]), "/"), below: below}
	if below {
		p.word += "/*"
	}
	return p, nil
}

func checkStars(name, word string) error {
	i := strings.IndexByte(name, '*')
	switch {
	case i < 0:
		return nil
	case i == len(word)-1:
		return fmt.Errorf("a * stands for whole segments, want %s/*, or a regular expression: ~^%s", word[:i], regexp.QuoteMeta(word[:i]))
	}
	return fmt.Errorf("a * stands for all that is below a path, want it at the end, or a regular expression: ~^%s$",
		strings.ReplaceAll(regexp.QuoteMeta(word), `\*`, "[^/]*"))
}

// checkReading refuses a path that no request has in all of its readings.
func checkReading(name, decoded string) error {
	lenient := string(reading{dots: true, lenient: true}.append(nil, []byte(name)))
	if lenient == decoded {
		return nil
	}
	if strings.HasSuffix(name, "/") && name != "/" && lenient+"/" == decoded {
		return nil
	}
	return fmt.Errorf("can be read in several ways (dot segments, several slashes, backslashes, encoded slashes, or a semicolon), want one such as %s", lenient)
}

func readExpression(word string) (path, error) {
	if word == "~" {
		return path{}, errors.New(`missing regular expression, want one such as ~\.css$`)
	}
	if _, err := compile(word[1:]); err != nil {
		return path{}, err
	}
	re, err := compile("(?s)" + word[1:]) // or %0a would dodge a "."
	if err != nil {
		return path{}, err
	}
	return path{word: word, expr: re, segments: beginning(word[1:])}, nil
}

// beginning is the segments that each path begins with in which the regular
// expression is found: those of "^/api/v1/x" are api and v1. So an expression
// is run only for paths that may fit.
func beginning(expr string) []string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat || len(re.Sub) < 2 || re.Sub[0].Op != syntax.OpBeginText {
		return nil
	}
	literal := re.Sub[1]
	if literal.Op != syntax.OpLiteral || literal.Flags&syntax.FoldCase != 0 {
		return nil
	}
	text := string(literal.Rune)
	end := strings.LastIndexByte(text, '/')
	if end <= 0 || text[0] != '/' {
		return nil
	}
	return strings.Split(text[1:end], "/")
}

func checkMethod(word string) error {
	switch {
	case word == "*":
		return errors.New("any method is what a route without a method has: leave it out")
	case !isToken(word):
		return errors.New("no method can be called that, want one such as GET")
	case word != strings.ToUpper(word):
		return fmt.Errorf("methods have large letters, want %s", strings.ToUpper(word))
	}
	return nil
}

func readField(f Field) (field, error) {
	out := field{name: f.Name, value: f.Value, any: f.Value == "*"}
	if f.Name == "" {
		return out, errors.New("missing name")
	}
	expr, ok := strings.CutPrefix(f.Value, "~")
	if !ok {
		return out, nil
	}
	var err error
	out.expr, err = compile(expr)
	return out, err
}

func compile(expr string) (*expression, error) {
	re, err := regexp.Compile(expr)
	if bad := new(syntax.Error); errors.As(err, &bad) {
		return nil, fmt.Errorf("not a regular expression in Go's (RE2's) syntax: %s: %s", bad.Code, bad.Expr)
	}
	return re, err
}

// isToken: RFC 9110 §5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
