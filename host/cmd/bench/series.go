package main

import (
	"fmt"
	"math"
	"slices"
)

// A sample is the time of one repetition, and the share of the machine that others used meanwhile.
type sample struct{ seconds, others float64 }

// tolerated is the share of the machine that others may use during a sample that counts.
const tolerated = 0.05

// A series is the samples of one side.
type series struct {
	name    string
	samples []sample
}

// kept are the seconds of the samples that others left alone, sorted; all of them where there is no such sample.
func (s series) kept() []float64 {
	var clean, all []float64
	for _, x := range s.samples {
		all = append(all, x.seconds)
		if x.others <= tolerated {
			clean = append(clean, x.seconds)
		}
	}
	if len(clean) == 0 {
		clean = all
	}
	slices.Sort(clean)
	return clean
}

func (s series) best() float64 { return s.kept()[0] }

func (s series) median() float64 {
	k := s.kept()
	return (k[(len(k)-1)/2] + k[len(k)/2]) / 2
}

// over is how many times faster s is than other, best against best.
func (s series) over(other series) float64 { return other.best() / s.best() }

// rate is work per second: of the best sample, and of the median in brackets.
func (s series) rate(work float64) string {
	return fmt.Sprintf("%s (%s)", number(work/s.best()), number(work/s.median()))
}

// A tally counts the samples of a section and what others did to them.
type tally struct {
	samples, disturbed int
	others             float64 // the largest share
}

func (t *tally) add(s series) {
	for _, x := range s.samples {
		t.samples++
		t.others = max(t.others, x.others)
		if x.others > tolerated {
			t.disturbed++
		}
	}
}

// crowded says that others used so much of the machine that the figures mean little.
func (t tally) crowded() bool { return 4*t.disturbed > t.samples }

func (t tally) String() string {
	if t.samples == 0 {
		return "Nothing was timed."
	}
	text := fmt.Sprintf("Others disturbed %d of %d samples and used up to %.0f %% of the machine.",
		t.disturbed, t.samples, 100*t.others)
	if t.crowded() {
		text += " **Machine in use by others: not to be taken as figures.**"
	}
	return text
}

// geometric is the geometric mean and the minimum of ratios.
func geometric(ratios []float64) (mean, least float64) {
	sum := 0.0
	for _, r := range ratios {
		sum += math.Log(r)
	}
	return math.Exp(sum / float64(len(ratios))), slices.Min(ratios)
}
