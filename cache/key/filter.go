package key

// Filter is the operator's word on what may be stored and answered from the
// store. The zero value lets everything. It is read by many goroutines at once
// and must not change meanwhile.
type Filter struct {
	Only  []Pattern // if there are any, one of them must match
	Never []Pattern // none of them may, whatever Only says
}

// Allows tells whether the answer to a request may be stored. host and path
// are those of wire.Request.
//
// A path that has a second reading is judged by both: what is only allowed
// under one of them is not, what is forbidden under one is. Otherwise
// "/static/../account" or "/%61ccount" would store a page that a pattern says
// is never stored, under a name that anybody can ask for ("web cache
// deception").
//
// Fast path: no patterns, or a path that has only one reading.
func (f *Filter) Allows(host, path []byte) bool {
	if len(f.Only) == 0 && len(f.Never) == 0 {
		return true
	}
	name, _ := splitPort(host)
	name = trimDot(name)
	if path, _ = cutQuery(path); len(path) == 0 {
		path = slash
	}
	if plain(path) {
		return f.reading(name, path)
	}
	return f.reading(name, path) && f.second(name, path)
}

var slash = []byte{'/'}

func (f *Filter) second(host, path []byte) bool {
	buf := readings.Get().(*[]byte)
	*buf = appendPlain((*buf)[:0], path)
	ok := f.reading(host, *buf)
	readings.Put(buf)
	return ok
}

func (f *Filter) reading(host, path []byte) bool {
	return (len(f.Only) == 0 || matches(f.Only, host, path)) && !matches(f.Never, host, path)
}

func matches(list []Pattern, host, path []byte) bool {
	for i := range list {
		if list[i].onHost(host) && list[i].onPath(path) {
			return true
		}
	}
	return false
}
