package place

import (
	"fmt"
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		p, err := Parse(url, "")
		got := fmt.Sprint(err)
		if err == nil {
			o := p.Option
			got = fmt.Sprintf("%d %s user=%s password=%s db=%d master=%s tls=%v name=%s",
				p.Shape, strings.Join(o.InitAddress, ","), o.Username, o.Password, o.SelectDB, o.Sentinel.MasterSet, o.TLSConfig != nil, p.Name)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", url, got, want)
		}
		if strings.Contains(p.nameOr(got), "secret") && err != nil {
			t.Errorf("%s: the password is shown: %s", url, got)
		}
	}
	f("redis://h", "0 h:6379 user= password= db=0 master= tls=false name=redis://h:6379")
	f("redis://u:secret@h:1/2", "0 h:1 user=u password=secret db=2 master= tls=false name=redis://h:1/2")
	f("redis://:a%40b@h", "password=a@b ")
	f("rediss://[::1]:7", "0 [::1]:7 user= password= db=0 master= tls=true")
	f("redis-sentinel://a,b:2,c?master=m", "1 a:26379,b:2,c:26379 user= password= db=0 master=m")
	f("redis+sentinel://u:p@a/3?master=m", "1 a:26379 user=u password=p db=3 master=m")
	f("redis-cluster://a,b:2", "2 a:6379,b:2 ")
	f("rediss-cluster://a", "tls=true")

	f("", `scheme "" is not known: use redis://`)
	f("secret", `scheme "" is not known`)
	f("http://u:secret@h", `scheme "http" is not known`)
	f("redis://u:secret%zz@h", "write reserved characters in %-form")
	f("redis://", `host "": want host or host:port`)
	f("redis://h:x", `host "h:x": want`)
	f("redis://h:99999", `host "h:99999": want`)
	f("redis://a,b", "2 hosts: redis:// has one")
	f("redis://h/x", `database "x": want a number`)
	f("redis-cluster://h/1", "database 1: a cluster has database 0 only")
	f("redis-sentinel://h", "?master=NAME")
	f("redis://h?master=m", "?master=NAME")
	f("redis://h?mater=m", `parameter "mater" is not known`)
}

func (p *Place) nameOr(err string) string {
	if p == nil {
		return err
	}
	return p.Name
}
