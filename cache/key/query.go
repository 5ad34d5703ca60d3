package key

import "bytes"

// maxSorted bounds the work of sorting, which is done by insertion so that it
// is stable and needs no memory but the stack's: 64 × 63 ÷ 2 comparisons at
// the worst. More parameters than that are no form that anybody filled in.
const maxSorted = 64

var amp = []byte{'&'}

// appendQuery appends "?" and what the rules leave of query, which stands
// without its "?"; nothing if they leave nothing. Empty parameters count: what
// the origin makes of "a&&b" is not known here.
func (r *Rules) appendQuery(dst, query []byte) []byte {
	end := len(dst)
	dst = append(dst, '?')
	if r.SortQuery && bytes.Count(query, amp) < maxSorted {
		dst = r.appendSorted(dst, query)
	} else {
		for more := true; more; {
			var p []byte
			if p, query, more = nextParam(query); !r.drops(p) {
				dst = append(append(dst, p...), '&')
			}
		}
	}
	if len(dst) == end+1 {
		return dst[:end]
	}
	return dst[:len(dst)-1] // the last "&"
}

func (r *Rules) appendSorted(dst, query []byte) []byte {
	var params [maxSorted][]byte
	n := 0
	for more := true; more; {
		if params[n], query, more = nextParam(query); !r.drops(params[n]) {
			n++
		}
	}
	sortByName(params[:n])
	for _, p := range params[:n] {
		dst = append(append(dst, p...), '&')
	}
	return dst
}

// nextParam cuts the first parameter off a query; more tells whether a "&"
// stood behind it.
func nextParam(query []byte) (p, rest []byte, more bool) {
	if i := bytes.IndexByte(query, '&'); i >= 0 {
		return query[:i], query[i+1:], true
	}
	return query, nil, false
}

func (r *Rules) drops(p []byte) bool {
	name := paramName(p)
	for _, d := range r.DropQuery {
		n := len(d) - 1
		if string(name) == d || n >= 0 && d[n] == '*' && len(name) >= n && string(name[:n]) == d[:n] {
			return true
		}
	}
	return false
}

func paramName(p []byte) []byte {
	if i := bytes.IndexByte(p, '='); i >= 0 {
		return p[:i]
	}
	return p
}

func sortByName(params [][]byte) {
	for i := 1; i < len(params); i++ {
		p := params[i]
		j := i
		for ; j > 0 && bytes.Compare(paramName(params[j-1]), paramName(p)) > 0; j-- {
			params[j] = params[j-1]
		}
		params[j] = p
	}
}
