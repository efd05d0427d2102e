package run

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// reportFile lies in the run directory, with the loss curves beside it.
const reportFile = "report.md"

// report writes report.md and the loss curves, and prints the tables.
func (p *Process) report(all []*Summary) error {
	tables := []table{stageTable(all), momentsTable(all), reasonTable(all), mixTable(all), pairsTable(all), swapTable(all),
		choiceTable(all), perplexityTable(all), preferenceTable(all), ratingTable(all), rewardTable(all)}
	curves, err := p.plotLosses(all)
	if err != nil {
		return err
	}
	path := filepath.Join(p.dir, reportFile)
	if err := durable.WriteFile(path, p.markdown(tables, curves)); err != nil {
		return err
	}
	for _, t := range tables {
		if err := t.print(p.options.Out); err != nil {
			return err
		}
	}
	return p.whereabouts(path, all)
}

func (p *Process) markdown(tables []table, curves []string) []byte {
	w := &bytes.Buffer{}
	fmt.Fprintf(w, "# %s\n\nSeed %d. Inputs, digests and the resolved recipe are in [%s](%s).\n",
		p.recipe.Name, p.recipe.Seed, lockFile, lockFile)
	for _, t := range tables {
		t.markdown(w)
	}
	if len(curves) > 0 {
		fmt.Fprint(w, "\n## Training loss\n\n")
	}
	for _, c := range curves {
		fmt.Fprintf(w, "![%s](%s)\n", c, c)
	}
	return w.Bytes()
}

// whereabouts says where the results lie.
func (p *Process) whereabouts(report string, all []*Summary) error {
	_, err := fmt.Fprintf(p.options.Out, "\nreport          %s\n", relative(report))
	for _, s := range all {
		if s.Export != nil {
			fmt.Fprintf(p.options.Out, "exported model  %s\n", relative(s.Export.Dir))
		}
	}
	return err
}

// relative is the path as seen from the working directory, where that is shorter.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, abs); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

func stageTable(all []*Summary) table {
	t := table{title: "Stages", left: 3, header: []string{"stage", "kind", "unit", "in", "out", "dropped", "quarantined", "loss", "time"}}
	for _, s := range all {
		loss, took := "", fmt.Sprintf("%.1f s", s.Seconds)
		if s.Train != nil {
			loss = fmt.Sprintf("%.3f → %.3f", s.Train.FirstLoss, s.Train.LastLoss)
		}
		if s.Cached {
			took = "done before"
		}
		t.rows = append(t.rows, []string{s.Stage, s.Kind, s.Unit, count(s.In), count(s.Out), count(s.Dropped),
			count(s.Quarantined), loss, took})
	}
	return t
}

// momentsTable shows what optimizers' states take that are not all float32.
func momentsTable(all []*Summary) table {
	t := table{title: "Optimizer states", left: 2, header: []string{"stage", "optimizer", "bytes", "in float32", "share"}}
	for _, s := range all {
		if s.Train == nil || s.Train.Moments == s.Train.FloatMoments {
			continue
		}
		share := float64(s.Train.Moments) / float64(s.Train.FloatMoments)
		t.rows = append(t.rows, []string{s.Stage, s.Train.Optimizer, count(s.Train.Moments), count(s.Train.FloatMoments),
			percent(share)})
	}
	return t
}

func reasonTable(all []*Summary) table {
	t := table{title: "Why records were dropped", left: 2, header: []string{"stage", "step and reason", "records"}}
	for _, s := range all {
		for _, reason := range slices.Sorted(maps.Keys(s.Reasons)) {
			t.rows = append(t.rows, []string{s.Stage, reason, count(s.Reasons[reason])})
		}
	}
	return t
}

// mixTable shows where the tokens of each train stage went: in = trained + masked + cut + dropped.
func mixTable(all []*Summary) table {
	t := table{title: "Tokens by source", left: 3,
		header: []string{"stage", "source", "language", "in", "trained", "masked", "cut", "dropped", "trained share", "share", "asked"}}
	for _, s := range all {
		if s.Data == nil {
			continue
		}
		for _, c := range s.Data.Cells {
			asked := ""
			if c.Asked > 0 {
				asked = percent(c.Asked)
			}
			t.rows = append(t.rows, []string{s.Stage, c.Source, c.Language, count(c.In), count(c.Trained), count(c.Masked), count(c.Cut),
				count(c.Dropped), percent(float64(c.Trained) / float64(max(1, c.In))), percent(c.Achieved), asked})
		}
	}
	return t
}

// pivot lays figures out with a row for each stage and model and a column for each dataset and language.
type pivot struct {
	rows    [][2]string
	columns []string
	cells   map[[3]string]string
}

func (p *pivot) put(stage string, s Subject, cell string) {
	row, column := [2]string{stage, s.Model}, s.Dataset
	if s.Language != "" {
		column += " " + s.Language
	}
	if p.cells == nil {
		p.cells = map[[3]string]string{}
	}
	if !slices.Contains(p.rows, row) {
		p.rows = append(p.rows, row)
	}
	if !slices.Contains(p.columns, column) {
		p.columns = append(p.columns, column)
	}
	p.cells[[3]string{stage, s.Model, column}] = cell
}

func (p *pivot) table(title string) table {
	t := table{title: title, left: 2, header: append([]string{"stage", "model"}, p.columns...)}
	for _, r := range p.rows {
		row := r[:]
		for _, c := range p.columns {
			row = append(row, cmp.Or(p.cells[[3]string{r[0], r[1], c}], "-"))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

func choiceTable(all []*Summary) table {
	var p pivot
	for _, s := range evaluations(all) {
		for _, f := range s.Evaluation.Choice {
			p.put(s.Stage, f.Subject, fmt.Sprintf("%s (chance %s)", percent(f.Share), percent(f.Chance)))
		}
	}
	return p.table("Exam accuracy")
}

func perplexityTable(all []*Summary) table {
	var p pivot
	for _, s := range evaluations(all) {
		for _, f := range s.Evaluation.Perplexity {
			p.put(s.Stage, f.Subject, fmt.Sprintf("%.2f", f.Perplexity.Perplexity))
		}
	}
	return p.table("Held-out perplexity")
}

func preferenceTable(all []*Summary) table {
	var p pivot
	for _, s := range evaluations(all) {
		for _, f := range s.Evaluation.Preference {
			p.put(s.Stage, f.Subject, percent(f.Share))
		}
	}
	return p.table("Held-out preference pairs decided right")
}

func ratingTable(all []*Summary) table {
	t := table{title: "Agreement of raters with held-out ratings", left: 2,
		header: []string{"model", "dataset", "documents", "Spearman", "mean abs. error"}}
	for _, s := range evaluations(all) {
		for _, f := range s.Evaluation.Ratings {
			spearman := "-"
			if f.Spearman != nil {
				spearman = fmt.Sprintf("%.3f", *f.Spearman)
			}
			t.rows = append(t.rows, []string{f.Model, f.Dataset, count(int64(f.Documents)), spearman, fmt.Sprintf("%.3f", f.MAE)})
		}
	}
	return t
}

func rewardTable(all []*Summary) table {
	t := table{title: "Rewards of the models' own answers", left: 3,
		header: []string{"model", "dataset", "plugin", "mean reward", "judged", "abstained", "faults"}}
	for _, s := range evaluations(all) {
		for _, f := range s.Evaluation.Rewards {
			t.rows = append(t.rows, []string{f.Model, f.Dataset, f.Plugin, fmt.Sprintf("%.3f", f.Mean),
				count(int64(f.Judged)), count(int64(f.Abstained)), count(int64(f.Faults))})
		}
	}
	return t
}

// evaluations are the summaries of evaluate stages.
func evaluations(all []*Summary) []*Summary {
	return slices.DeleteFunc(slices.Clone(all), func(s *Summary) bool { return s.Evaluation == nil })
}
