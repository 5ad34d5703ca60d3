//go:build linux

package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// A sheet is a measure's results as they lie in the folder: NAME.csv, and NAME.json of what they
// were taken on.
type sheet struct {
	name  string
	rows  []map[string]string // by the names in the first line
	about About
}

func readSheet(dir, name string) (*sheet, error) {
	s := &sheet{name: name}
	f, err := os.Open(filepath.Join(dir, name+".csv"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) == 0 {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	s.rows = named(lines[0], lines[1:])
	text, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		return nil, err
	}
	return s, json.Unmarshal(text, &s.about)
}

// named are lines as rows by the names of their columns.
func named(names []string, lines [][]string) (rows []map[string]string) {
	for _, line := range lines {
		row := map[string]string{}
		for i, v := range line {
			row[names[i]] = v
		}
		rows = append(rows, row)
	}
	return rows
}

// A pivot has a figure for each question and server, by rounds.
type pivot struct {
	questions, servers []string // in the order in which they came
	rounds             map[[2]string]map[string]float64
}

// pivot takes from each row what column says, if it says anything; question names its row of the
// table, and leaves out a row by "".
func (s *sheet) pivot(column string, question func(map[string]string) string) *pivot {
	p := &pivot{rounds: map[[2]string]map[string]float64{}}
	for _, row := range s.rows {
		v, err := strconv.ParseFloat(row[column], 64)
		q, server := question(row), row["server"]
		if err != nil || q == "" || row["fault"] != "" {
			continue
		}
		if !slices.Contains(p.questions, q) {
			p.questions = append(p.questions, q)
		}
		if !slices.Contains(p.servers, server) {
			p.servers = append(p.servers, server)
		}
		at := [2]string{q, server}
		if p.rounds[at] == nil {
			p.rounds[at] = map[string]float64{}
		}
		p.rounds[at][row["round"]] = v
	}
	return p
}

// figure is the median of the rounds.
func (p *pivot) figure(question, server string) (float64, bool) {
	var vs []float64
	for _, v := range p.rounds[[2]string{question, server}] {
		vs = append(vs, v)
	}
	if len(vs) == 0 {
		return 0, false
	}
	slices.Sort(vs)
	return median(vs), true
}

// ratio is ours to another's, round by round: their median, and how far it may be off.
func (p *pivot) ratio(question, server, to string) (ratio, off float64, ok bool) {
	var vs []float64
	others := p.rounds[[2]string{question, to}]
	for round, v := range p.rounds[[2]string{question, server}] {
		if w := others[round]; w > 0 {
			vs = append(vs, v/w)
		}
	}
	if len(vs) == 0 {
		return 0, 0, false
	}
	slices.Sort(vs)
	return median(vs), doubt(vs), true
}
