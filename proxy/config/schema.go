package config

import (
	"encoding/json"
	"strings"
)

// object is a part of a JSON Schema.
type object map[string]any

// Schema is the file's JSON Schema (draft 2020-12), made from the table, for
// editors: they complete names, show what they mean, and underline what is
// wrong. What settings mean together, only Parse knows.
func Schema() []byte {
	top := object{
		"$schema":           "https://json-schema.org/draft/2020-12/schema",
		"title":             "multiserver's configuration file",
		"type":              "object",
		"patternProperties": object{"^x-": object{}},
	}
	all := properties(func(*Setting) bool { return true })
	delete(all, "config")
	all["pools"] = object{
		"description":   "upstreams under a name, each with settings of its own; what a pool does not say is as at the top",
		"type":          "object",
		"propertyNames": object{"pattern": "^[A-Za-z0-9_.-]{1,64}$"},
		"additionalProperties": closed(
			properties(func(s *Setting) bool { return s.Scope() == PerPool }), "upstream"),
	}
	all["routes"] = object{
		"description": "which requests go where; what a route does not say is as at the top",
		"type":        "array",
		"minItems":    1,
		"items":       routeSchema(),
	}
	top["properties"] = all
	top["additionalProperties"] = false
	text, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return append(text, '\n')
}

// closed has these properties and no others.
func closed(of object, required ...string) object {
	o := object{"type": "object", "properties": of, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func properties(wanted func(*Setting) bool) object {
	of := object{}
	for i := range Settings {
		if s := &Settings[i]; wanted(s) {
			of[s.Name] = s.schema()
		}
	}
	return of
}

func routeSchema() object {
	of := properties(func(s *Setting) bool { return s.Scope() == PerRoute })
	of["name"] = about("in logs and metrics; unique", object{"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"})
	of["match"] = about("what a request must be, in all of these; nothing: any request", matchSchema())
	of["pool"] = about("where its requests go; may be left out if there is only one", object{"type": "string"})
	of["split"] = about("or: several pools, each with its share", object{
		"type": "object", "minProperties": 2, "additionalProperties": object{"type": "integer", "minimum": 0, "maximum": maxWeight}})
	of["split-cookie"] = about("keeps a client with its share; none: nothing does", object{"type": "string", "default": splitCookie})
	of["split-ttl"] = about("how long a browser keeps that cookie; 0s: until it is closed", object{"type": "string", "default": "0s"})
	of["cache"] = about("whether answers are stored and answered from the store; its size is decided at the top", object{"enum": []any{"on", "off", true, false}})
	of["filters"] = about("what is done to its requests and answers, in this order", object{"type": "array", "items": object{"anyOf": []object{
		{"type": "string"}, {"type": "object", "minProperties": 1, "maxProperties": 1}}}})
	return closed(of)
}

func matchSchema() object {
	word := func(text string) object { return about(text, many(object{"type": "string"})) }
	fields := func(text string) object {
		return about(text, object{"type": "object", "additionalProperties": object{"type": []string{"string", "number", "boolean"}}})
	}
	return closed(object{
		"host":   word("example.org, or *.example.org for all below it; one of them"),
		"path":   word("/exact, /prefix/* for that and all below it, ~regexp; one of them"),
		"method": word("GET, POST, …; one of them"),
		"header": fields("name: value, ~regexp, or * for any; all of them"),
		"query":  fields("name: value, ~regexp, or * for any; all of them"),
	})
}

func about(text string, o object) object {
	o["description"] = text
	return o
}

func many(one object) object {
	return object{"anyOf": []object{one, {"type": "array", "items": one, "minItems": 1}}}
}

// schema is of one setting, by how its value is called in the help.
func (s *Setting) schema() object {
	o := s.kind()
	if s.Default == off || s.Name == "health-interval" {
		o = object{"anyOf": []object{o, {"const": false}}} // what YAML 1.1 makes of off
	}
	if s.Many {
		o = many(o)
	}
	if s.Default != "" {
		o["default"] = s.Default
	}
	return about(strings.ReplaceAll(s.Usage, "`", ""), o)
}

func (s *Setting) kind() object {
	switch {
	case s.Switch():
		return object{"type": "boolean"}
	case len(s.Choices) > 0:
		return s.choices()
	case s.Arg == "N" && strings.Contains(s.Usage, "`auto`"):
		return object{"anyOf": []object{{"type": "integer", "minimum": 0}, {"const": "auto"}}}
	case s.Arg == "N":
		return object{"type": "integer", "minimum": 0}
	case s.Arg == "D":
		return object{"anyOf": []object{{"type": "string", "pattern": `^(([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+|0|off)$`}, {"const": 0}}}
	case s.Arg == "SIZE":
		return object{"anyOf": []object{{"type": "string", "pattern": "^([0-9]+ ?([KkMmGgTt]?[Ii]?[Bb])?|off)$"}, {"type": "integer", "minimum": 0}}}
	}
	return object{"type": []string{"string", "number"}}
}

// choices may have a name behind those that end in a colon.
func (s *Setting) choices() object {
	var plain, named []string
	for _, c := range s.Choices {
		if strings.HasSuffix(c, ":") {
			named = append(named, c)
		} else {
			plain = append(plain, c)
		}
	}
	if named == nil {
		return object{"enum": plain}
	}
	return object{"anyOf": []object{{"enum": plain}, {"type": "string", "pattern": "^(" + strings.Join(named, "|") + ")"}}}
}
