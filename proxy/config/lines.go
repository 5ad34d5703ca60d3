package config

// Lines is the effective configuration, a flag on each line, defaults
// included and secrets hidden. But for those it is, given back, the same Config.
func (c *Config) Lines() []string {
	var lines []string
	for i := range Settings {
		s := &Settings[i]
		for _, word := range s.show(c) {
			switch {
			case s.veil != nil:
				lines = append(lines, "--"+s.Name+" "+s.veil(c))
			case s.Secret:
				lines = append(lines, "--"+s.Name+" (hidden)")
			case s.Switch():
				lines = append(lines, "--"+s.Name+"="+word)
			default:
				lines = append(lines, "--"+s.Name+" "+word)
			}
		}
	}
	return lines
}
