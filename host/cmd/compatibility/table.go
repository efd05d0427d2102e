package main

import (
	"maps"
	"slices"
	"strings"
)

// A table has a value where a row and a column meet. Columns are in the order in which they came up.
type table struct {
	columns []string
	rows    map[string]map[string]string
}

// collect makes tables of the lines that tests log as "compatibility: TABLE | ROW | COLUMN | VALUE".
func collect(output string) map[string]*table {
	tables := map[string]*table{}
	for line := range strings.Lines(output) {
		_, text, found := strings.Cut(line, "compatibility: ")
		cells := strings.Split(strings.TrimSpace(text), " | ")
		if !found || len(cells) != 4 {
			continue
		}
		t := tables[cells[0]]
		if t == nil {
			t = &table{rows: map[string]map[string]string{}}
			tables[cells[0]] = t
		}
		t.add(cells[1], cells[2], cells[3])
	}
	return tables
}

func (t *table) add(row, column, value string) {
	if !slices.Contains(t.columns, column) {
		t.columns = append(t.columns, column)
	}
	if t.rows[row] == nil {
		t.rows[row] = map[string]string{}
	}
	t.rows[row][column] = value
}

func (t *table) markdown() string {
	var b strings.Builder
	line := func(cells ...string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(append([]string{""}, t.columns...)...)
	line(slices.Repeat([]string{"---"}, 1+len(t.columns))...)
	for _, name := range slices.Sorted(maps.Keys(t.rows)) {
		cells := []string{name}
		for _, column := range t.columns {
			cells = append(cells, t.rows[name][column])
		}
		line(cells...)
	}
	return b.String()
}
