package pool

// Target is what u is reached by, with its share and its limit of this moment.
func (u *Upstream) Target() Target {
	u.pool.mu.Lock()
	defer u.pool.mu.Unlock()
	return u.target
}
