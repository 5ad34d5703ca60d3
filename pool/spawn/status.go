package spawn

import "time"

// Status is how an App is, for people and their tools.
type Status struct {
	App       string        `json:"app"`
	Instances int           `json:"instances"` // wanted
	Ready     int           `json:"ready"`     // that get requests
	Rolling   bool          `json:"rolling"`
	Children  []ChildStatus `json:"children"` // those that are ready
}

// ChildStatus is how one process is.
type ChildStatus struct {
	Instance int     `json:"instance"`
	PID      int     `json:"pid"`
	Addr     string  `json:"addr"`
	Seconds  float64 `json:"seconds"` // since its start
	Load     int64   `json:"load"`    // requests under way
	Requests uint64  `json:"requests"`
	Memory   int64   `json:"memory,omitempty"` // bytes, where that is known
}

// Status looks at /proc, and is not for every request.
func (a *App) Status() Status {
	held := memory()
	s := Status{App: a.opt.Name, Instances: a.Size(), Rolling: len(a.rolling) > 0, Children: []ChildStatus{}}
	a.door.Lock()
	defer a.door.Unlock()
	s.Ready = len(a.members)
	for _, c := range a.members {
		child := ChildStatus{Instance: c.instance, PID: c.pid(), Addr: c.target.Addr, Seconds: time.Since(c.began).Seconds(), Memory: held[c.pid()]}
		if c.up != nil {
			child.Load, child.Requests = c.up.Load(), c.up.Stats.Picked.Load()
		}
		s.Children = append(s.Children, child)
	}
	return s
}
