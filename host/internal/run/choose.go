package run

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

// A PairsFigure is what a pairs stage made. Means are null where nothing was judged.
type PairsFigure struct {
	Prompts int            `json:"prompts"` // that were asked
	Pairs   int            `json:"pairs"`
	Answers map[string]int `json:"answers"` // by status
	Cut     int            `json:"cut"`     // answers that had not ended when they reached their most tokens
	All     *float64       `json:"mean_reward"`
	Best    *float64       `json:"mean_best"` // of the pairs
	Worst   *float64       `json:"mean_worst"`
	Margin  *float64       `json:"mean_margin"`
}

// choosing makes pairs of judged prompts.
type choosing struct {
	*pairing
	figure           PairsFigure
	all, best, worst mean // rewards
}

// A mean is a sum on its way.
type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) { m.sum, m.n = m.sum+v, m.n+1 }

func (m *mean) value() *float64 { return defined(m.sum / float64(m.n)) }

// choose reads the samples' file and writes the pairs, and why the other prompts have none.
func (w *pairing) choose(dir string, s *Summary) error {
	c := &choosing{pairing: w, figure: PairsFigure{Prompts: len(w.prompts), Answers: map[string]int{}}}
	n := 0
	for line, err := range judgedPrompts(filepath.Join(dir, samplesFile)) {
		if err != nil {
			return err
		}
		if n == len(w.prompts) || line.ID != w.prompts[n].record.ID {
			return fmt.Errorf("%s: line %d is not that of prompt %d", samplesFile, n+1, n)
		}
		c.prompt(w.prompts[n].record, &line.judgedPrompt)
		n++
	}
	c.summarise(s)
	return c.outcome.write(dir, s)
}

// prompt makes a pair of a prompt's answers, or says why not.
func (c *choosing) prompt(r *data.Record, j *judgedPrompt) {
	judgements := make([]sdk.Judgement, 0, len(j.Answers))
	texts := make([]string, 0, len(j.Answers))
	for i := range j.Answers {
		a := &j.Answers[i]
		c.count(a)
		if a.Reward != nil {
			judgements, texts = append(judgements, a.judgement()), append(texts, a.Text)
		}
	}
	pair := bestAndWorst(judgements)
	switch {
	case len(judgements) < 2:
		c.lack(r, j)
	case pair == none:
		c.take(r, drop{Reason: "tie", Detail: fmt.Sprintf("all %d are %g", len(judgements), judgements[0].Reward)})
	default:
		c.pair(r, j, texts, judgements, pair)
	}
}

func (c *choosing) count(a *judgedAnswer) {
	c.figure.Answers[a.Status]++
	if a.Cut {
		c.figure.Cut++
	}
	if a.Reward != nil {
		c.all.add(*a.Reward)
	}
}

// lack takes out a prompt with fewer than two judged answers: to quarantine when the plugin failed on others.
func (c *choosing) lack(r *data.Record, j *judgedPrompt) {
	counts := map[string]int{}
	for _, a := range j.Answers {
		if counts[a.Status]++; a.Status == statusFault {
			c.take(r, drop{Reason: "fault", Detail: a.Detail, faulty: true})
			return
		}
	}
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[status], status))
	}
	c.take(r, drop{Reason: "fewer than two judged answers", Detail: strings.Join(parts, ", ")})
}

// pair makes a record of the best and the worst answer.
func (c *choosing) pair(r *data.Record, j *judgedPrompt, texts []string, judgements []sdk.Judgement, pair chosenPair) {
	best, worst := judgements[pair.best].Reward, judgements[pair.worst].Reward
	if best-worst < c.spec.Margin {
		reason := fmt.Sprintf("margin below %g", c.spec.Margin)
		c.take(r, drop{Reason: reason, Detail: fmt.Sprintf("%g and %g", best, worst)})
		return
	}
	made := &data.Record{
		Source: r.Source, Language: r.Language, File: r.File, Line: r.Line,
		Prompt: j.turns(), Chosen: texts[pair.best], Rejected: texts[pair.worst],
		Scores: map[string]float32{
			c.spec.Reward + ".chosen": float32(best), c.spec.Reward + ".rejected": float32(worst),
			c.spec.Reward + ".margin": float32(best - worst),
		},
	}
	made.Identify()
	c.kept = append(c.kept, made)
	c.best.add(best)
	c.worst.add(worst)
}

func (c *choosing) summarise(s *Summary) {
	f := &c.figure
	f.Pairs, f.All, f.Best, f.Worst = len(c.kept), c.all.value(), c.best.value(), c.worst.value()
	if f.Best != nil {
		f.Margin = defined(*f.Best - *f.Worst)
	}
	s.Pairs, s.Unit = f, "prompts"
}
