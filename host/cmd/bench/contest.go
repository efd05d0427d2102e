package main

import (
	"math"
	"time"
)

// A side is one party of a contest. run does its work reps times and says what that took.
type side struct {
	name  string
	apart bool // in a process of its own
	run   func(reps int) (spent, error)
}

// spent is the time of one run, in seconds.
type spent struct{ wall, cpu float64 }

// ours is a side in this process.
func ours(name string, op func() error) side {
	return side{name: name, run: func(reps int) (spent, error) {
		cpu, start := cpuSeconds(), time.Now()
		for range reps {
			if err := op(); err != nil {
				return spent{}, err
			}
		}
		return spent{time.Since(start).Seconds(), cpuSeconds() - cpu}, nil
	}}
}

// A contest lets its sides work in turns.
type contest struct {
	sides []side
	onCPU bool // count processor time instead of wall time: for one thread, which others' load then does not slow
}

const (
	window = 0.15                   // seconds that a sample lasts at least
	rest   = 150 * time.Millisecond // before each sample: OpenBLAS's idle workers spin for 105 ms before they sleep
	most   = 1000                   // repetitions in a sample
	brief  = 500 * time.Millisecond // a first run shorter than this says little about the second
)

// hold warms every side up, then measures all of them in turns, round after round, each with the same repetitions.
func (b *bench) hold(c contest) ([]series, error) {
	all := make([]series, len(c.sides))
	fastest, round := math.Inf(1), 0.0
	for i, s := range c.sides {
		all[i].name = s.name
		took, err := warmUp(s)
		if err != nil {
			return nil, err
		}
		fastest, round = min(fastest, took), round+took
	}
	reps := int(min(max(1, math.Ceil(window/fastest)), most))
	rounds := min(max(2, int(b.budget.Seconds()/(round*float64(reps)))), max(2, b.rounds))
	for range rounds {
		for i, s := range c.sides {
			x, err := take(s, reps, c.onCPU)
			if err != nil {
				return nil, err
			}
			all[i].samples = append(all[i].samples, x)
		}
	}
	for _, s := range all {
		b.tally.add(s)
	}
	return all, nil
}

// warmUp returns the seconds of one repetition.
func warmUp(s side) (float64, error) {
	took, err := s.run(1)
	if err == nil && took.wall < brief.Seconds() {
		took, err = s.run(1)
	}
	return took.wall, err
}

// take measures one sample, and how much of the machine neither side can have used.
func take(s side, reps int, onCPU bool) (sample, error) {
	time.Sleep(rest)
	busy, own, start := busySeconds(), cpuSeconds(), time.Now()
	took, err := s.run(reps)
	if err != nil {
		return sample{}, err
	}
	used := cpuSeconds() - own
	if s.apart {
		used += took.cpu
	}
	x := sample{seconds: took.wall / float64(reps), others: others(busySeconds()-busy-used, time.Since(start).Seconds())}
	if onCPU {
		x.seconds = took.cpu / float64(reps)
	}
	return x, nil
}

// duel is a contest of two, of which ours is the first.
func (b *bench) duel(us, them side, onCPU bool) (we, they series, err error) {
	all, err := b.hold(contest{[]side{us, them}, onCPU})
	if err != nil {
		return series{}, series{}, err
	}
	return all[0], all[1], nil
}
