package author

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/sdk/sdktest/standin"
)

// A Speed is what a plugin did in a benchmark, on all processors that it was given.
type Speed struct {
	Records, Bytes int64
	Time           time.Duration
	Start          time.Duration // from nothing to the first opened instance
	Usage          plugin.Usage  // zero for plugins that are not metered
}

// PerSecond is the records per second.
func (s Speed) PerSecond() float64 { return float64(s.Records) / s.Time.Seconds() }

// FuelPerKB is the fuel that a KB of requests took, 0 when it is not known.
func (s Speed) FuelPerKB() float64 {
	if s.Usage.Bytes == 0 {
		return 0
	}
	return 1024 * float64(s.Usage.Fuel) / float64(s.Usage.Bytes)
}

// Bench opens the plugin and asks the records over and over for at least as long as it is told to.
func Bench(ctx context.Context, spec plugin.Spec, r standin.Records, least time.Duration) (s Speed, err error) {
	spec.Plugin.Limits.Faults = math.MaxInt
	begin := time.Now()
	p, err := plugin.Open(ctx, spec)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	s.Start = time.Since(begin)
	if _, err := tried(ctx, p, r); err != nil { // warm-up: the other instances are opened
		return s, err
	}
	for begin = time.Now(); s.Time < least; s.Time = time.Since(begin) {
		if _, err := tried(ctx, p, r); err != nil {
			return s, err
		}
		s.Records += int64(len(r.Documents) + len(r.Dialogues) + len(r.Samples))
		s.Bytes += size(r)
	}
	s.Usage = p.Usage()
	return s, nil
}

// size is the text in the records, in bytes.
func size(r standin.Records) (n int64) {
	for _, d := range r.Documents {
		n += int64(len(d.Text))
	}
	for _, d := range r.Dialogues {
		for _, t := range d.Turns {
			n += int64(len(t.Text))
		}
	}
	for _, s := range r.Samples {
		n += int64(len(s.Response))
		for _, t := range s.History {
			n += int64(len(t.Text))
		}
	}
	return n
}
