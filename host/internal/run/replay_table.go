package run

import (
	"fmt"
	"io"
)

// Print writes the replay as tables.
func (r *Replayed) Print(w io.Writer) error {
	for _, t := range []table{r.agreement(), r.rewards(), r.disagreements()} {
		if err := t.print(w); err != nil {
			return err
		}
	}
	for _, stage := range r.Passed {
		fmt.Fprintf(w, "stage %s is not done: its answers were not judged again\n", stage)
	}
	return nil
}

// agreement shows whether the two models order the answers alike.
func (r *Replayed) agreement() table {
	t := table{title: "Agreement of " + r.Plugin + " with the other reward", left: 2,
		header: []string{"stage", "file", "judged by both", "Spearman", "Kendall", "pairs turned", "prompts", "same pair"}}
	for _, s := range r.Stages {
		t.rows = append(t.rows, []string{s.Stage, s.File, count(int64(s.Samples)), figureText(s.Spearman), figureText(s.Kendall),
			shareText(s.Flips), count(int64(s.Prompts)), shareText(s.Same)})
	}
	return t
}

// rewards shows what each of them gave.
func (r *Replayed) rewards() table {
	t := table{title: "Rewards", left: 3, header: []string{"stage", "file", "of", "judged", "abstained", "faults", "mean", "least",
		"10 %", "median", "90 %", "largest"}}
	for _, s := range r.Stages {
		for _, d := range []struct {
			of string
			Distribution
		}{{"recorded", s.Old}, {"other", s.New}, {"difference", Distribution{Judged: s.Samples, Rewards: s.Difference}}} {
			t.rows = append(t.rows, append([]string{s.Stage, s.File, d.of}, d.cells()...))
		}
	}
	return t
}

func (d Distribution) cells() []string {
	cells := []string{count(int64(d.Judged)), count(int64(d.Abstained)), count(int64(d.Faults)), "-", "-", "-", "-", "-", "-"}
	if d.Rewards == nil {
		return cells
	}
	for i, v := range []float64{d.Rewards.Mean, d.Rewards.Deciles[0], d.Rewards.Deciles[1], d.Rewards.Deciles[5],
		d.Rewards.Deciles[9], d.Rewards.Deciles[10]} {
		cells[3+i] = figureText(&v)
	}
	return cells
}

func (r *Replayed) disagreements() table {
	t := table{title: "Largest differences", left: 3, header: []string{"stage", "file", "record", "answer", "recorded", "other", "difference"}}
	for _, s := range r.Stages {
		for _, d := range s.Largest {
			difference := d.New - d.Old
			if difference == 0 {
				continue
			}
			t.rows = append(t.rows, []string{s.Stage, s.File, d.ID, fmt.Sprint(d.Answer), figureText(&d.Old), figureText(&d.New),
				figureText(&difference)})
		}
	}
	return t
}

// Print writes what the two models gave while the new one was the shadow, as a table.
func (a *Agreement) Print(w io.Writer) error {
	t := table{title: "Rewards in the shadow's time", left: 1, header: []string{"of", "judged", "abstained", "faults", "mean", "least",
		"10 %", "median", "90 %", "largest"}}
	t.rows = [][]string{append([]string{"old"}, a.Old.cells()...), append([]string{"new"}, a.New.cells()...),
		append([]string{"difference"}, Distribution{Judged: a.Samples, Rewards: a.Difference}.cells()...)}
	return t.print(w)
}

// String is the agreement in a line.
func (a *Agreement) String() string {
	return fmt.Sprintf("same pair %s of %d prompts, pairs turned %s, Spearman %s of %d answers, mean reward %s, now %s",
		shareText(a.Same), a.Prompts, shareText(a.Flips), figureText(a.Spearman), a.Samples, a.Old.meanText(), a.New.meanText())
}

func (d Distribution) meanText() string {
	if d.Rewards == nil {
		return "-"
	}
	return figureText(&d.Rewards.Mean)
}
