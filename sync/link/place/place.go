package place

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// Shape is how a deployment is reached.
type Shape int

// The shapes.
const (
	Single Shape = iota
	Sentinel
	Cluster
)

// schemes are those of a URL. An s at the end of redis is TLS.
var schemes = map[string]struct {
	shape Shape
	tls   bool
	port  string
}{
	"redis":           {Single, false, "6379"},
	"rediss":          {Single, true, "6379"},
	"redis-sentinel":  {Sentinel, false, "26379"},
	"redis+sentinel":  {Sentinel, false, "26379"},
	"rediss-sentinel": {Sentinel, true, "26379"},
	"rediss+sentinel": {Sentinel, true, "26379"},
	"redis-cluster":   {Cluster, false, "6379"},
	"redis+cluster":   {Cluster, false, "6379"},
	"rediss-cluster":  {Cluster, true, "6379"},
	"rediss+cluster":  {Cluster, true, "6379"},
}

// Place is a URL understood.
type Place struct {
	Shape  Shape
	Name   string // the URL without its password, for the log
	Option rueidis.ClientOption
}

// Parse reads a URL; caFile, if not empty, replaces the system's roots.
//
// No error shows the password: what net/url says of a URL it cannot read
// quotes it, so it is not passed on.
func Parse(raw, caFile string) (*Place, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	kind, known := schemes[scheme]
	if !ok || !known {
		return nil, fmt.Errorf("redis URL: scheme %q is not known: use redis://, rediss://, redis-sentinel:// or redis-cluster://", schemeOf(raw))
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	at := strings.LastIndexByte(authority, '@')
	// net/url takes one host only: the others are taken apart here.
	u, err := url.Parse(scheme + "://" + authority[:at+1] + "host" + tail)
	if err != nil {
		return nil, fmt.Errorf("redis URL: user, password or what follows the hosts cannot be read: write reserved characters in %%-form, / as %%2F, @ as %%40")
	}
	p := &Place{Shape: kind.shape}
	if err := p.hosts(authority[at+1:], kind.port); err != nil {
		return nil, err
	}
	p.Name = scheme + "://" + strings.Join(p.Option.InitAddress, ",") + u.Path
	if u.User != nil {
		p.Option.Username = u.User.Username()
		p.Option.Password, _ = u.User.Password()
	}
	if err := p.database(u.Path); err != nil {
		return nil, err
	}
	if err := p.query(u.Query()); err != nil {
		return nil, err
	}
	if kind.tls {
		return p, p.tls(caFile)
	}
	return p, nil
}

func schemeOf(raw string) string {
	scheme, _, ok := strings.Cut(raw, "://")
	if !ok {
		return "" // it may be anything, a password too
	}
	return scheme
}

func (p *Place) hosts(list, port string) error {
	for host := range strings.SplitSeq(list, ",") {
		h, n, err := net.SplitHostPort(host)
		if err != nil {
			h, n = strings.Trim(host, "[]"), port
		}
		if number, err := strconv.Atoi(n); h == "" || err != nil || number < 1 || number > 65535 {
			return fmt.Errorf("redis URL: host %q: want host or host:port, several with commas between", host)
		}
		p.Option.InitAddress = append(p.Option.InitAddress, net.JoinHostPort(h, n))
	}
	if p.Shape == Single && len(p.Option.InitAddress) > 1 {
		return fmt.Errorf("redis URL: %d hosts: redis:// has one; for more use redis-sentinel:// or redis-cluster://", len(p.Option.InitAddress))
	}
	return nil
}

func (p *Place) database(path string) error {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	n, err := strconv.Atoi(path)
	if err != nil || n < 0 {
		return fmt.Errorf("redis URL: database %q: want a number, as in redis://host/2", path)
	}
	if p.Shape == Cluster && n != 0 {
		return fmt.Errorf("redis URL: database %d: a cluster has database 0 only", n)
	}
	p.Option.SelectDB = n
	return nil
}

func (p *Place) query(q url.Values) error {
	for name, values := range q {
		switch name {
		case "master":
			p.Option.Sentinel.MasterSet = values[0]
		case "sentinel_user":
			p.Option.Sentinel.Username = values[0]
		case "sentinel_password":
			p.Option.Sentinel.Password = values[0]
		default:
			return fmt.Errorf("redis URL: parameter %q is not known: there are master, sentinel_user and sentinel_password", name)
		}
	}
	if (p.Shape == Sentinel) != (p.Option.Sentinel.MasterSet != "") {
		return fmt.Errorf("redis URL: ?master=NAME: it belongs to redis-sentinel://, and there it must be")
	}
	return nil
}

func (p *Place) tls(caFile string) error {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return fmt.Errorf("redis CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("redis CA file %s: no certificate in PEM form in it", caFile)
		}
	}
	p.Option.TLSConfig = config
	p.Option.Sentinel.TLSConfig = config
	return nil
}
