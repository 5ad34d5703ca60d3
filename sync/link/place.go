package link

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

// shape is how a deployment is reached.
type shape int

const (
	single shape = iota
	sentinel
	cluster
)

// The same as in cache/redis, which this package is not to know.

// schemes are those of a URL. An s at the end of redis is TLS.
var schemes = map[string]struct {
	shape shape
	tls   bool
	port  string
}{
	"redis":           {single, false, "6379"},
	"rediss":          {single, true, "6379"},
	"redis-sentinel":  {sentinel, false, "26379"},
	"redis+sentinel":  {sentinel, false, "26379"},
	"rediss-sentinel": {sentinel, true, "26379"},
	"rediss+sentinel": {sentinel, true, "26379"},
	"redis-cluster":   {cluster, false, "6379"},
	"redis+cluster":   {cluster, false, "6379"},
	"rediss-cluster":  {cluster, true, "6379"},
	"rediss+cluster":  {cluster, true, "6379"},
}

// place is a URL understood.
type place struct {
	shape  shape
	name   string // the URL without its password, for the log
	option rueidis.ClientOption
}

// parse reads a URL; caFile, if not empty, replaces the system's roots.
//
// No error shows the password: what net/url says of a URL it cannot read
// quotes it, so it is not passed on.
func parse(raw, caFile string) (*place, error) {
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
	p := &place{shape: kind.shape}
	if err := p.hosts(authority[at+1:], kind.port); err != nil {
		return nil, err
	}
	p.name = scheme + "://" + strings.Join(p.option.InitAddress, ",") + u.Path
	if u.User != nil {
		p.option.Username = u.User.Username()
		p.option.Password, _ = u.User.Password()
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

func (p *place) hosts(list, port string) error {
	for host := range strings.SplitSeq(list, ",") {
		h, n, err := net.SplitHostPort(host)
		if err != nil {
			h, n = strings.Trim(host, "[]"), port
		}
		if number, err := strconv.Atoi(n); h == "" || err != nil || number < 1 || number > 65535 {
			return fmt.Errorf("redis URL: host %q: want host or host:port, several with commas between", host)
		}
		p.option.InitAddress = append(p.option.InitAddress, net.JoinHostPort(h, n))
	}
	if p.shape == single && len(p.option.InitAddress) > 1 {
		return fmt.Errorf("redis URL: %d hosts: redis:// has one; for more use redis-sentinel:// or redis-cluster://", len(p.option.InitAddress))
	}
	return nil
}

func (p *place) database(path string) error {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	n, err := strconv.Atoi(path)
	if err != nil || n < 0 {
		return fmt.Errorf("redis URL: database %q: want a number, as in redis://host/2", path)
	}
	if p.shape == cluster && n != 0 {
		return fmt.Errorf("redis URL: database %d: a cluster has database 0 only", n)
	}
	p.option.SelectDB = n
	return nil
}

func (p *place) query(q url.Values) error {
	for name, values := range q {
		switch name {
		case "master":
			p.option.Sentinel.MasterSet = values[0]
		case "sentinel_user":
			p.option.Sentinel.Username = values[0]
		case "sentinel_password":
			p.option.Sentinel.Password = values[0]
		default:
			return fmt.Errorf("redis URL: parameter %q is not known: there are master, sentinel_user and sentinel_password", name)
		}
	}
	if (p.shape == sentinel) != (p.option.Sentinel.MasterSet != "") {
		return fmt.Errorf("redis URL: ?master=NAME: it belongs to redis-sentinel://, and there it must be")
	}
	return nil
}

func (p *place) tls(caFile string) error {
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
	p.option.TLSConfig = config
	p.option.Sentinel.TLSConfig = config
	return nil
}
