package run

import (
	"math"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/sdk"
)

// An Agreement compares two reward models on the same answers. A figure that nothing defines, such as a correlation
// with a constant, is null.
type Agreement struct {
	Samples    int          `json:"samples"`   // judged by both
	Prompts    int          `json:"prompts"`   // of which at least one of them makes a pair
	Same       *float64     `json:"same_pair"` // share of those prompts with the same best and worst
	Flips      *float64     `json:"flips"`     // share of the pairs of answers with an order that the new one turns
	Spearman   *float64     `json:"spearman"`
	Kendall    *float64     `json:"kendall"` // tau-b
	Old        Distribution `json:"old"`
	New        Distribution `json:"new"`
	Difference *Spread      `json:"difference"` // new minus old
}

// A Distribution is what one reward model gave.
type Distribution struct {
	Judged    int     `json:"judged"`
	Abstained int     `json:"abstained"`
	Faults    int     `json:"faults"`
	Rewards   *Spread `json:"rewards"` // null when nothing was judged
}

// A Spread is the mean and the deciles of values, the least and the largest among them.
type Spread struct {
	Mean    float64     `json:"mean"`
	Deciles [11]float64 `json:"deciles"`
}

// A contest gathers the judgements of two reward models.
type contest struct {
	old, new tally
	both     [2][]float64 // rewards of the answers that both judged

	ordered, turned    int // pairs of answers of a prompt: by the old one, and the other way by the new one
	decided, decidedAs int // prompts of which one makes a pair, and both the same
}

// A tally gathers the judgements of one.
type tally struct {
	abstained, faults int
	rewards           []float64
}

// add takes the judgements of the answers to one prompt.
func (c *contest) add(old, new []sdk.Judgement) {
	var both [2][]float64
	for i := range old {
		c.old.add(old[i])
		c.new.add(new[i])
		if old[i].Status == sdk.OK && new[i].Status == sdk.OK {
			both[0], both[1] = append(both[0], old[i].Reward), append(both[1], new[i].Reward)
		}
	}
	c.order(both[0], both[1])
	c.both[0], c.both[1] = append(c.both[0], both[0]...), append(c.both[1], both[1]...)
	a, b := bestAndWorst(old), bestAndWorst(new)
	if a == none && b == none {
		return
	}
	c.decided++
	if a == b {
		c.decidedAs++
	}
}

func (t *tally) add(j sdk.Judgement) {
	switch j.Status {
	case sdk.OK:
		t.rewards = append(t.rewards, j.Reward)
	case sdk.Abstain:
		t.abstained++
	default:
		t.faults++
	}
}

// order counts the pairs of answers and those that are turned.
func (c *contest) order(old, new []float64) {
	for i := range old {
		for j := range i {
			was := old[i] - old[j]
			if was == 0 {
				continue
			}
			c.ordered++
			if was*(new[i]-new[j]) < 0 {
				c.turned++
			}
		}
	}
}

// A chosenPair is the place of the best answer and of the worst.
type chosenPair struct{ best, worst int }

// none is the pair of a prompt without one.
var none = chosenPair{-1, -1}

// bestAndWorst finds the answers of the highest and the lowest reward, of equals the first. There are none unless two
// rewards differ.
func bestAndWorst(all []sdk.Judgement) chosenPair {
	found := none
	for i, j := range all {
		if j.Status != sdk.OK {
			continue
		}
		if found.best < 0 || j.Reward > all[found.best].Reward {
			found.best = i
		}
		if found.worst < 0 || j.Reward < all[found.worst].Reward {
			found.worst = i
		}
	}
	if found.best == found.worst {
		return none
	}
	return found
}

// result is the agreement so far.
func (c *contest) result() *Agreement {
	difference := make([]float64, len(c.both[0]))
	for i := range difference {
		difference[i] = c.both[1][i] - c.both[0][i]
	}
	return &Agreement{
		Samples: len(difference), Prompts: c.decided,
		Same: ratio(c.decidedAs, c.decided), Flips: ratio(c.turned, c.ordered),
		Spearman: defined(eval.Spearman(c.both[0], c.both[1])), Kendall: defined(eval.Kendall(c.both[0], c.both[1])),
		Old: c.old.distribution(), New: c.new.distribution(), Difference: spread(difference),
	}
}

func (t *tally) distribution() Distribution {
	return Distribution{len(t.rewards), t.abstained, t.faults, spread(t.rewards)}
}

func spread(values []float64) *Spread {
	if len(values) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(values))
	s := &Spread{}
	for _, v := range sorted {
		s.Mean += v
	}
	s.Mean /= float64(len(sorted))
	for i := range s.Deciles {
		place := float64(i) / 10 * float64(len(sorted)-1)
		low := int(place)
		high := min(low+1, len(sorted)-1)
		s.Deciles[i] = sorted[low] + (place-float64(low))*(sorted[high]-sorted[low])
	}
	return s
}

func ratio(part, whole int) *float64 { return defined(float64(part) / float64(whole)) }

// defined is a figure, or nil where nothing defines it.
func defined(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}
