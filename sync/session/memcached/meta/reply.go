package meta

import (
	"errors"
	"fmt"
)

// code is an answer's first word.
type code uint8

const (
	codeDone     code = iota // HD
	codeValue                // VA
	codeMiss                 // EN, NF
	codeStays                // NS
	codeConflict             // EX
)

// reply is an answer's first line.
type reply struct {
	code   code
	size   int // of the value that follows, with VA
	cas    uint64
	opaque uint64 // 0: none
}

// errRefused: the server does not want the command, or cannot do it.
var errRefused = errors.New("refused")

// errProtocol: the other end does not speak as memcached does.
var errProtocol = errors.New("not an answer of memcached's meta protocol (1.6.10 or later)")

// parse reads line, without its end. Flags that nobody asked for are passed over.
func parse(line []byte) (reply, error) {
	word, rest := cut(line)
	var r reply
	switch string(word) {
	case "HD":
		r.code = codeDone
	case "VA":
		r.code = codeValue
		size, after := cut(rest)
		n, ok := number(size)
		if !ok || n > maxValue {
			return r, errProtocol
		}
		r.size, rest = int(n), after
	case "EN", "NF":
		r.code = codeMiss
	case "NS":
		r.code = codeStays
	case "EX":
		r.code = codeConflict
	default:
		return r, refusal(line)
	}
	return r, r.flags(rest)
}

func (r *reply) flags(rest []byte) error {
	for len(rest) > 0 {
		var flag []byte
		if flag, rest = cut(rest); len(flag) == 0 {
			continue
		}
		into := &r.cas
		switch flag[0] {
		case 'c':
		case 'O':
			into = &r.opaque
		default:
			continue
		}
		n, ok := number(flag[1:])
		if !ok {
			return errProtocol
		}
		*into = n
	}
	return nil
}

// refusal is for ERROR, CLIENT_ERROR and SERVER_ERROR, and for who is no
// memcached at all.
func refusal(line []byte) error {
	const long = 100
	if len(line) > long {
		line = line[:long]
	}
	for _, word := range [...]string{"ERROR", "CLIENT_ERROR ", "SERVER_ERROR "} {
		if len(line) >= len(word) && string(line[:len(word)]) == word {
			return fmt.Errorf("%w: %q", errRefused, line)
		}
	}
	return fmt.Errorf("%q: %w", line, errProtocol)
}

func cut(line []byte) (word, rest []byte) {
	for i, b := range line {
		if b == ' ' {
			return line[:i], line[i+1:]
		}
	}
	return line, nil
}

func number(digits []byte) (n uint64, ok bool) {
	if len(digits) == 0 || len(digits) > 20 {
		return 0, false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		next := n*10 + uint64(d-'0')
		if n > (1<<64-1)/10 || next < n*10 {
			return 0, false
		}
		n = next
	}
	return n, true
}
