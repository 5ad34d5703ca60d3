package discover

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"multiserver/pool"
)

// maxWeight is the most a member gets, as the most an operator may write; SRV
// weights go to 65535. Pickers lay weights out in advance.
const maxWeight = 1000

// srvAtOnce bounds the look-ups for one upstream's records at a time: an
// answer has room for a thousand of them.
const srvAtOnce = 8

// srv is a service, whose records (RFC 2782) say on which hosts and ports it
// is; each address of those is a member.
type srv struct {
	spec    *Spec
	ask     *asker
	records []*net.SRV       // the last good answer
	hosts   map[string]*host // by lower-case name; those in records
}

func isSRV(s *Spec) bool { return s.Scheme == "srv+http" || s.Scheme == "srv+https" }

func openSRV(s *Spec, a *asker) (source, error) {
	if s.Port != "" {
		return nil, errors.New("a port has no meaning with srv+, the records have theirs: leave it out")
	}
	if _, err := netip.ParseAddr(s.Host); err == nil {
		return nil, errors.New("an address has no SRV records: leave srv+ out, or give the service's name")
	}
	return &srv{spec: s, ask: a, hosts: map[string]*host{}}, nil
}

// members goes on with the last good records when there are no new ones, as
// the hosts in them may move meanwhile, and with a host's last good addresses
// when these cannot be had. A host that never had any is left out.
func (s *srv) members(ctx context.Context) ([]pool.Target, error) {
	records, err := s.ask.records(ctx, s.spec.Host)
	if len(records) > 0 {
		s.records = records
		s.know(records)
	}
	err = errors.Join(err, s.resolve(ctx))
	return s.targets(s.places()), err
}

// know makes hosts those that are in records.
func (s *srv) know(records []*net.SRV) {
	old := s.hosts
	s.hosts = make(map[string]*host, len(records))
	for _, r := range records {
		name := strings.ToLower(r.Target)
		if s.hosts[name] = old[name]; s.hosts[name] == nil {
			s.hosts[name] = &host{name: name}
		}
	}
}

// resolve asks for the addresses of all hosts.
func (s *srv) resolve(ctx context.Context) error {
	var wg sync.WaitGroup
	room := make(chan struct{}, srvAtOnce)
	errs := make([]error, len(s.hosts))
	i := 0
	for _, h := range s.hosts {
		err := &errs[i]
		i++
		room <- struct{}{}
		wg.Go(func() {
			_, *err = h.resolve(ctx, s.ask)
			<-room
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// place is an address that a record leads to.
type place struct {
	addr             netip.AddrPort
	host             string
	priority, weight uint64
}

// places are in the order of priority, then of the address. An address that
// several records lead to counts once, with the best priority and all the
// weight that it has there: twice in the pool it could not be told apart.
func (s *srv) places() (out []place) {
	for _, r := range s.records {
		name := strings.ToLower(r.Target)
		for _, a := range s.hosts[name].last {
			out = append(out, place{netip.AddrPortFrom(a, r.Port), name, uint64(r.Priority), max(1, uint64(r.Weight))})
		}
	}
	slices.SortFunc(out, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), a.addr.Compare(b.addr), cmp.Compare(a.host, b.host))
	})
	at := map[netip.AddrPort]int{}
	kept := out[:0]
	for _, p := range out {
		i, twice := at[p.addr]
		if !twice {
			at[p.addr] = len(kept)
			kept = append(kept, p)
		} else if kept[i].priority == p.priority {
			kept[i].weight += p.weight
		}
	}
	return kept
}

// targets makes members of places. A record's weight is worth what the
// operator's would be, and multiplies it; too large ones shrink together. 0,
// which is to be chosen next to never, is the least we have.
func (s *srv) targets(places []place) []pool.Target {
	var most uint64
	for i := range places {
		places[i].weight *= max(1, uint64(s.spec.Each.Weight))
		most = max(most, places[i].weight)
	}
	targets := make([]pool.Target, len(places))
	for i, p := range places {
		if most > maxWeight {
			p.weight = max(1, (p.weight*maxWeight+most/2)/most)
		}
		t := s.spec.at(p.addr)
		t.Weight = uint32(p.weight)
		t.Backup = t.Backup || p.priority > places[0].priority
		t.Host = s.hostOf(p)
		targets[i] = t
	}
	return targets
}

// hostOf is what a record's host is called, with the port unless it is the
// scheme's: for TLS it is the name that the certificate must have. So whoever
// can forge the records can also choose that name; where DNS is not to be
// trusted that far, the hosts have to be written as https:// upstreams.
func (s *srv) hostOf(p place) string {
	name, port := strings.TrimSuffix(p.host, "."), p.addr.Port()
	if s.spec.tls() && port == 443 || !s.spec.tls() && port == 80 {
		return name
	}
	return net.JoinHostPort(name, strconv.Itoa(int(port)))
}
