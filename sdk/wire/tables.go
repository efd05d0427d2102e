package wire

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carebot-llm/carebot/sdk"
)

// Tables number the names that a manifest declares: names are in the manifest, numbers travel. Answers are written and
// read with the tables of their plugin.
type Tables struct {
	scores, reasons []string
	score, reason   map[string]int
}

// NewTables returns the tables of a manifest.
func NewTables(m *sdk.Manifest) (*Tables, error) {
	t := &Tables{reasons: m.Reasons}
	for _, s := range m.Scores {
		t.scores = append(t.scores, s.Name)
	}
	var err error
	if t.score, err = number("score", t.scores, MaxColumns/2); err != nil {
		return nil, err
	}
	t.reason, err = number("reason", t.reasons, math.MaxUint16)
	return t, err
}

// number returns the place of each name.
func number(what string, list []string, most int) (map[string]int, error) {
	if len(list) > most {
		return nil, fmt.Errorf("%d %ss are more than %d", len(list), what, most)
	}
	places := make(map[string]int, len(list))
	for i, name := range list {
		if _, twice := places[name]; twice || name == "" {
			return nil, fmt.Errorf("%s %q is empty or declared twice", what, name)
		}
		places[name] = i
	}
	return places, nil
}

// encodeScores adds one column for each declared score. Row i has the values of at(i); what they lack is marked as
// absent.
func (t *Tables) encodeScores(b *Builder, n int, at func(int) map[string]float64) error {
	known := make([]int, n)
	for k, name := range t.scores {
		present := 0
		b.f32(ColScores+Column(k), n, func(i int) float64 {
			v, there := at(i)[name]
			if there {
				known[i]++
				present++
			}
			return v
		})
		if present < n {
			b.valid(n, func(i int) bool { _, there := at(i)[name]; return there })
		}
	}
	for i := 0; i < n && !b.over; i++ {
		if len(at(i)) > known[i] {
			return t.undeclared(at(i))
		}
	}
	return nil
}

// undeclared returns the error that names the first score that is not declared.
func (t *Tables) undeclared(scores map[string]float64) error {
	for _, name := range slices.Sorted(maps.Keys(scores)) {
		if _, declared := t.score[name]; !declared {
			return fmt.Errorf("score %q is not declared in the manifest", name)
		}
	}
	panic("wire: all scores are declared and there are more than declared")
}

// A scoreTable is what decodeScores read: values and existence by score, then row.
type scoreTable struct {
	tables *Tables
	values [][]float64
	exists []func(int) bool
}

func (t *Tables) decodeScores(f *Frame) scoreTable {
	s := scoreTable{tables: t}
	for k := range t.scores {
		s.values = append(s.values, f.f32(ColScores+Column(k), f.Rows))
		s.exists = append(s.exists, f.exists(ColScores+Column(k), f.Rows))
	}
	return s
}

// row returns the scores of row i, NaN where there is none, and what is wrong with them.
func (s scoreTable) row(i int) (map[string]float64, string) {
	scores := make(map[string]float64, len(s.values))
	for k, name := range s.tables.scores {
		v := s.values[k][i]
		if !s.exists[k](i) {
			v = math.NaN()
		} else if !finite(v) {
			return nil, fmt.Sprintf("score %q is %v", name, v)
		}
		scores[name] = v
	}
	return scores, ""
}

// none returns the scores of a record that has no answer: NaN for each declared name.
func (t *Tables) none() map[string]float64 {
	scores := make(map[string]float64, len(t.scores))
	for _, name := range t.scores {
		scores[name] = math.NaN()
	}
	return scores
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// maxDetail bounds what a detail keeps of the text that a plugin gave, in bytes.
const maxDetail = 1 << 10

// detail makes a foreign text fit for logs and reports: bounded, valid UTF-8.
func detail(s string) string {
	if len(s) > maxDetail {
		s = s[:maxDetail]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		s = s[:max(len(s)-1, 0)]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// status reads the status column.
func (f *Frame) status() []sdk.Status {
	f.require(ColStatus)
	raw := f.u8(ColStatus, f.Rows)
	all := make([]sdk.Status, len(raw))
	for i, s := range raw {
		if all[i] = sdk.Status(s); all[i] > sdk.Fault {
			f.fail("row %d has the unknown status %d", i, s)
		}
	}
	return all
}
