package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/run"
)

func newProfile(a *app) *cobra.Command {
	var o run.Profiling
	cmd := &cobra.Command{
		Use:   "profile RECIPE STAGE [key.path=value ...]",
		Short: "Measure where the time of a train stage's steps goes",
		Long: `Do a few steps of a train stage with its real data and start weights, after one to warm up, and print for each
kernel its time, its floating-point operations and bytes a second and their share of what the machine reaches. The
stages that it needs must be done. The run directory stays as it is. Overrides are those of run.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Stage = args[1]
			return a.profile(cmd.Context(), args[0], args[2:], o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Steps, "steps", 5, "steps that are measured")
	f.StringVar(&o.Trace, "trace", "", "file for a trace of all kernel calls, for ui.perfetto.dev or chrome://tracing")
	f.StringVar(&o.CPUProfile, "cpuprofile", "", "file for samples of the program, for go tool pprof")
	return cmd
}

func (a *app) profile(ctx context.Context, file string, overrides []string, o run.Profiling) error {
	if o.Steps < 1 {
		return usageError{fmt.Errorf("--steps %d: want at least 1", o.Steps)}
	}
	r, err := recipe.Load(file, overrides)
	if err != nil {
		return usageError{err}
	}
	if _, err := r.TrainStage(o.Stage); err != nil {
		return usageError{err}
	}
	return a.process(ctx, r, a.out, func(p *run.Process, ctx context.Context) error { return p.Profile(ctx, o) })
}
