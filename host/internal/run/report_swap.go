package run

import (
	"fmt"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// pairsTable shows what the pairs stages made. What was dropped stands among the reasons.
func pairsTable(all []*Summary) table {
	t := table{title: "Pairs of the models' own answers", left: 1, header: []string{"stage", "prompts", "pairs",
		"answers", "not judged", "cut", "mean reward", "of the best", "of the worst", "margin"}}
	for _, s := range all {
		f := s.Pairs
		if f == nil {
			continue
		}
		answers := 0
		for _, n := range f.Answers {
			answers += n
		}
		t.rows = append(t.rows, []string{s.Stage, count(int64(f.Prompts)), count(int64(f.Pairs)), count(int64(answers)),
			count(int64(answers - f.Answers[statusOK])), count(int64(f.Cut)),
			figureText(f.All), figureText(f.Best), figureText(f.Worst), figureText(f.Margin)})
	}
	return t
}

// swapTable shows which rewards took over on the way.
func swapTable(all []*Summary) table {
	t := table{title: "Rewards that took over on the way", left: 3,
		header: []string{"stage", "plugin", "use", "from record", "samples of the shadow", "same pair", "Spearman"}}
	for _, s := range all {
		for _, swap := range s.Swaps {
			row := []string{s.Stage, swap.Plugin, swap.use(), count(int64(swap.At)), "0", "-", "-"}
			if a := swap.Shadow; a != nil {
				row[4], row[5], row[6] = count(int64(a.Samples)), shareText(a.Same), figureText(a.Spearman)
			}
			t.rows = append(t.rows, row)
		}
	}
	return t
}

// use is what the swap's entry names.
func (s Swap) use() string {
	var entry struct{ Use string }
	if err := yaml.Unmarshal([]byte(s.Entry), &entry); err != nil {
		return "?"
	}
	return filepath.ToSlash(entry.Use)
}

// figureText is a figure for a table, or a dash where nothing defines it.
func figureText(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *v)
}

func shareText(v *float64) string {
	if v == nil {
		return "-"
	}
	return percent(*v)
}
