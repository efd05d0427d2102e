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
		header: []string{"stage", "file", "both judged", "Spearman", "Kendall", "turned pairs", "prompts", "same pair"}}
	for _, s := range r.Stages {
		t.rows = append(t.rows, []string{s.Stage, s.File, count(int64(s.Samples)), figureText(s.Spearman),
			figureText(s.Kendall), shareText(s.Flips), count(int64(s.Prompts)), shareText(s.Same)})
	}
	return t
}

// rewards shows what each of them gave.
func (r *Replayed) rewards() table {
	t := table{title: "Rewards", left: 3, header: append([]string{"stage", "file", "of"}, distributionHeader...)}
	for _, s := range r.Stages {
		t.rows = append(t.rows, append([]string{s.Stage, s.File, "recorded"}, s.Old.cells()...),
			append([]string{s.Stage, s.File, "other"}, s.New.cells()...),
			append([]string{s.Stage, s.File, "difference"}, s.differences().cells()...))
	}
	return t
}

var distributionHeader = []string{
	"judged", "abstained", "faults", "mean", "least", "10 %", "median", "90 %", "largest",
}

func (d Distribution) cells() []string {
	cells := []string{count(int64(d.Judged)), count(int64(d.Abstained)), count(int64(d.Faults)), d.meanText()}
	for _, i := range []int{0, 1, 5, 9, 10} {
		var decile *float64
		if d.Rewards != nil {
			decile = &d.Rewards.Deciles[i]
		}
		cells = append(cells, figureText(decile))
	}
	return cells
}

// differences are those of the answers that both judged.
func (a *Agreement) differences() Distribution {
	return Distribution{Judged: a.Samples, Rewards: a.Difference}
}

func (r *Replayed) disagreements() table {
	t := table{title: "Largest differences", left: 3,
		header: []string{"stage", "file", "record", "answer", "recorded", "other", "difference"}}
	for _, s := range r.Stages {
		for _, d := range s.Largest {
			difference := d.New - d.Old
			if difference == 0 {
				continue
			}
			t.rows = append(t.rows, []string{s.Stage, s.File, d.ID, fmt.Sprint(d.Answer),
				figureText(&d.Old), figureText(&d.New), figureText(&difference)})
		}
	}
	return t
}

// Print writes what the two models gave while the new one was the shadow, as a table.
func (a *Agreement) Print(w io.Writer) error {
	t := table{title: "Rewards in the shadow's time", left: 1, header: append([]string{"of"}, distributionHeader...)}
	t.rows = [][]string{append([]string{"old"}, a.Old.cells()...), append([]string{"new"}, a.New.cells()...),
		append([]string{"difference"}, a.differences().cells()...)}
	return t.print(w)
}

// String is the agreement in a line.
func (a *Agreement) String() string {
	return fmt.Sprintf("same pair %s of %d prompts, pairs turned %s, Spearman %s of %d answers, mean reward %s, now %s",
		shareText(a.Same), a.Prompts, shareText(a.Flips), figureText(a.Spearman), a.Samples,
		a.Old.meanText(), a.New.meanText())
}

func (d Distribution) meanText() string {
	if d.Rewards == nil {
		return "-"
	}
	return figureText(&d.Rewards.Mean)
}
