package purge

// Kind is what a mark's name is compared with. Zero is none, so that a Mark
// that nobody filled in purges nothing.
type Kind uint8

// The kinds of mark.
const (
	All    Kind = 1 + iota // every entry; no name
	Prefix                 // entries whose key begins with the name
	Tag                    // entries that bear the tag
	URL                    // entries whose key is the name: all variants of it, and parts
)

// Mark is one purge. A key's scheme does not count, neither in it nor in the
// name: who purges a page means it however it was asked for, and whether that
// was by TLS is what only the proxy knows that ends it.
type Mark struct {
	Kind Kind
	Soft bool   // what it applies to is stale, refreshed at the next request, instead of gone
	Name []byte // a key such as "http://example.org/blog/", its beginning, or a tag
}

// Kinds is how many there are, with the one that is none.
const Kinds = URL + 1

func (k Kind) String() string {
	return [Kinds]string{"none", "all", "prefix", "tag", "url"}[k]
}

// letters are the kinds as they travel; soft marks have small ones.
const letters = "?APTU"

const small = 'a' - 'A'

// Append adds the bytes by which the mark travels between nodes and is kept:
// a letter and the name. m must have a kind.
func (m *Mark) Append(dst []byte) []byte {
	letter := letters[m.Kind]
	if m.Soft {
		letter += small
	}
	return append(append(dst, letter), m.Name...)
}

// ParseMark reads what Append wrote. The name is borrowed from b. False means
// that it was not, or by a later version of us; who drops such a mark purges
// too little, and who takes it for All does not.
func ParseMark(b []byte) (Mark, bool) {
	if len(b) == 0 {
		return Mark{}, false
	}
	m := Mark{Soft: b[0] >= 'a', Name: b[1:]}
	switch letter := b[0]; letter {
	case 'A', 'a':
		m.Kind = All
	case 'P', 'p':
		m.Kind = Prefix
	case 'T', 't':
		m.Kind = Tag
	case 'U', 'u':
		m.Kind = URL
	default:
		return Mark{}, false
	}
	// A name where there is none, or none where one belongs, is a mistake of
	// somebody's; guessing would purge everything.
	if (m.Kind == All) != (len(m.Name) == 0) {
		return Mark{}, false
	}
	return m, true
}
