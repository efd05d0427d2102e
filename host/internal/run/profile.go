package run

import (
	"context"
	"fmt"
	"io"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/meter"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// A Profiling says what Profile measures, and which files it writes; empty names write none.
type Profiling struct {
	Stage      string
	Steps      int    // after one to warm up; at least 1
	Trace      string // every kernel call as a trace event, for ui.perfetto.dev or chrome://tracing
	CPUProfile string // samples of the Go program in the format of pprof
}

// Profile does a few steps of a train stage with its real data and start weights and prints where their time went. The
// stages that it needs must be done. It leaves nothing in the run directory.
func (p *Process) Profile(ctx context.Context, o Profiling) error {
	spec, err := p.recipe.TrainStage(o.Stage)
	if err != nil {
		return err
	}
	if err := p.prepared(ctx, o.Stage); err != nil {
		return err
	}
	p.leavesNothing = true
	dev, err := p.openDevice()
	if err != nil {
		return err
	}
	measured := meter.New(dev)
	p.device = measured
	m, plan, err := p.begin(ctx, o.Stage, *spec)
	if err != nil {
		return err
	}
	defer m.close()
	pr := &profile{stage: o.Stage, spec: *spec, device: measured, peak: dev.Peak(), plan: plan, config: m.model.Config()}
	job := train.Job{Name: o.Stage, Spec: *spec, Device: measured, Model: m.model, Plan: plan, Log: p.log}
	if err := pr.measure(ctx, job, o); err != nil {
		return err
	}
	return pr.publish(p.options.Out, o.Trace)
}

// prepared reports the stages whose results a stage needs and that are not done.
func (p *Process) prepared(ctx context.Context, name string) error {
	upstream := p.upstream(name, map[string]bool{})
	var waiting []string
	for _, s := range p.recipe.Order() {
		if !upstream[s] {
			continue
		}
		done := p.planState(ctx, s) == "done" // and the key is known to those after it
		if !done && slices.Contains(p.recipe.Needs(name).Stages, s) {
			waiting = append(waiting, s)
		}
	}
	if waiting == nil {
		return nil
	}
	return fmt.Errorf("stage %s needs the results of %s: not done yet, run the recipe first",
		name, strings.Join(waiting, ", "))
}

// upstream adds all stages that a stage depends on, directly or not.
func (p *Process) upstream(name string, found map[string]bool) map[string]bool {
	for _, s := range p.recipe.Needs(name).Stages {
		if !found[s] {
			found[s] = true
			p.upstream(s, found)
		}
	}
	return found
}

// A profile is what the steps of a train stage took.
type profile struct {
	stage  string
	spec   recipe.Train
	device *meter.Device
	peak   accelerators.Peak
	plan   *data.Plan
	config model.Config

	steps  []measuredStep
	events []meter.Event
	counts []int // tokens of the micro-batches
	failed error // of starting the samples
}

// A measuredStep is one step on the meter's clock.
type measuredStep struct {
	start, duration time.Duration
	batch           int // of the plan
}

// measure does the steps. The samples of a CPU profile are published when all are done.
func (pr *profile) measure(ctx context.Context, job train.Job, o Profiling) error {
	if o.CPUProfile == "" {
		return pr.run(ctx, job, o.Steps, nil)
	}
	return durable.Write(o.CPUProfile, func(w io.Writer) error {
		defer pprof.StopCPUProfile()
		return pr.run(ctx, job, o.Steps, w)
	})
}

// run does a step to warm up, which finds out how much memory the stage takes, and then those that count.
func (pr *profile) run(ctx context.Context, job train.Job, steps int, samples io.Writer) error {
	err := train.Measure(ctx, job, 1+steps, func(step int, m train.Metrics) {
		if step > 1 {
			pr.note(m)
			job.Log.Info("step measured", "stage", pr.stage, "step", fmt.Sprintf("%d/%d", step-1, steps),
				"seconds", fmt.Sprintf("%.3f", m.Seconds))
			return
		}
		if samples != nil {
			pr.failed = pprof.StartCPUProfile(samples)
		}
		pr.device.Reset()
	})
	if err != nil {
		return err
	}
	pr.events, pr.counts = pr.device.Events(), pr.tokenCounts()
	return pr.failed
}

// note takes down the step that has just ended.
func (pr *profile) note(m train.Metrics) {
	took := time.Duration(m.Seconds * float64(time.Second))
	pr.steps = append(pr.steps, measuredStep{pr.device.Elapsed() - took, took, m.Step - 1})
}

func (pr *profile) publish(out io.Writer, trace string) error {
	if err := pr.table().print(out); err != nil {
		return err
	}
	if err := pr.summarise(out); err != nil || trace == "" {
		return err
	}
	if err := durable.Write(trace, pr.writeTrace); err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	_, err := fmt.Fprintf(out, "%-14s %s\n", "trace", relative(trace))
	return err
}
