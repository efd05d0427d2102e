package main

import (
	"math"
	"runtime"
	"testing"
)

func TestDisturbedSamplesDoNotCountUnlessAllAre(t *testing.T) {
	s := series{samples: []sample{{3, 0}, {1, 0.5}, {2, 0.01}}}
	if s.best() != 2 || s.median() != 2.5 {
		t.Errorf("best %v, median %v; want 2 and 2.5, of the samples that others left alone", s.best(), s.median())
	}
	all := series{samples: []sample{{3, 0.4}, {1, 0.5}}}
	if all.best() != 1 {
		t.Errorf("best %v of samples that are all disturbed, want 1", all.best())
	}
}

func TestGeometricMeanAndMinimum(t *testing.T) {
	mean, least := geometric([]float64{0.5, 2, 1})
	if math.Abs(mean-1) > 1e-12 || least != 0.5 {
		t.Errorf("mean %v, minimum %v; want 1 and 0.5", mean, least)
	}
}

func TestShareOfOthersAllowsTheClockItsTicks(t *testing.T) {
	processors := float64(runtime.NumCPU())
	if got := others(tick*processors, 1); got != 0 {
		t.Errorf("a tick of each processor is %v of the machine, want 0", got)
	}
	if got, want := others(tick*processors+processors/2, 1), 0.5; math.Abs(got-want) > 1e-9 {
		t.Errorf("half of each processor for a second is %v of the machine, want %v", got, want)
	}
}
