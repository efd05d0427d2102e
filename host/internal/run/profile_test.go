package run

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/accelerators/meter"
)

func TestAProfileLeavesTheRunAsItIs(t *testing.T) {
	p := newProject(t, map[string]string{"texts.jsonl": mini["texts.jsonl"] + "{malformed\n"})
	raw := []string{"datasets.texts.max_bad=0.5", "stages.stable.data=texts"} // its malformed record is in quarantine
	p.run(t, "mini.yaml", raw...)
	for _, stage := range []string{"stable", "dpo"} {
		before := p.listing(t)
		made := p.process(t, "mini.yaml", raw...)
		if err := made.Profile(t.Context(), Profiling{Stage: stage, Steps: 2}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, p.listing(t)); diff != "" {
			t.Errorf("the profile of %s changed files (-before +after):\n%s", stage, diff)
		}
		for _, want := range []string{"MatMul", "AdamW", "Attention", "all kernels", "fastest of 2", "outside kernels"} {
			if !strings.Contains(p.out.String(), want) {
				t.Errorf("the profile of %s says nothing of %q:\n%s", stage, want, p.out.String())
			}
		}
	}
}

func TestAProfileNamesWhatMustBeDoneFirst(t *testing.T) {
	p := newProject(t, nil)
	wants := func(stage, want string) {
		t.Helper()
		err := p.process(t, "mini.yaml").Profile(t.Context(), Profiling{Stage: stage, Steps: 1})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	wants("stable", "stage stable needs the results of words, clean: not done yet")
	p.interrupt(t)
	wants("dpo", "stage dpo needs the results of stable, chosen: not done yet")
	if err := p.process(t, "mini.yaml").Profile(t.Context(), Profiling{Stage: "stable", Steps: 1}); err != nil {
		t.Errorf("with all that it needs: %v", err)
	}
}

// measured is a profile of two steps of 50 ms that a device with known peaks took.
func measured(t *testing.T) *profile {
	t.Helper()
	dev, err := cpu.New(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	const ms = time.Millisecond
	pr := &profile{stage: "s", device: meter.New(dev), peak: accelerators.Peak{F32: 100e9, BF16: 200e9, Bandwidth: 10e9},
		steps: []measuredStep{{0, 50 * ms, 0}, {60 * ms, 50 * ms, 1}}}
	for range 2 {
		pr.events = append(pr.events,
			meter.Event{Op: "Fill", Shape: "8", Duration: 5 * ms, Bytes: 25e6},
			meter.Event{Op: "MatMul", Shape: "2x2x2 nn", Start: 5 * ms, Duration: 10 * ms, Flops: 0.5e9, Bytes: 10e6},
			meter.Event{Op: "MatMul", Shape: "3x3x3 nn bf16", Start: 15 * ms, Duration: 20 * ms, Flops: 3e9, Bytes: 10e6,
				Compute: accelerators.BF16})
	}
	return pr
}

func TestAProfileAddsUpOpsAndShapes(t *testing.T) {
	want := [][]string{
		{"MatMul", "", "2", "30.00 ms", "60.0 %", "116.7", "66.7 %", "0.7", "6.7 %"},
		{"", "3x3x3 nn bf16", "1", "20.00 ms", "40.0 %", "150.0", "75.0 %", "0.5", "5.0 %"},
		{"", "2x2x2 nn", "1", "10.00 ms", "20.0 %", "50.0", "50.0 %", "1.0", "10.0 %"},
		{"Fill", "8", "1", "5.00 ms", "10.0 %", "", "", "5.0", "50.0 %"},
		{"all kernels", "", "3", "35.00 ms", "70.0 %", "100.0", "57.1 %", "1.3", "12.9 %"},
	}
	if diff := cmp.Diff(want, measured(t).table().rows); diff != "" {
		t.Error(diff)
	}
}

func TestManyShapesOfAnOpAreOneLine(t *testing.T) {
	pr := measured(t)
	pr.events = nil
	for i := range shapesShown + 2 {
		pr.events = append(pr.events, meter.Event{Op: "Add", Shape: strings.Repeat("1", i+1), Duration: time.Duration(i+1) * time.Second})
	}
	rows := pr.table().rows
	var shapes []string
	for _, row := range rows[1 : len(rows)-1] {
		shapes = append(shapes, row[1])
	}
	longest := strings.Repeat("1", shapesShown+2)
	if len(shapes) != shapesShown || shapes[0] != longest || shapes[shapesShown-1] != "3 other shapes" {
		t.Errorf("the shapes are %q", shapes)
	}
}

func TestShapesThatDifferInTokensAreOneLine(t *testing.T) {
	pr := measured(t)
	pr.events = []meter.Event{
		{Op: "MatMul", Shape: "30x8x16 nt", Duration: 20 * time.Millisecond},
		{Op: "MatMul", Shape: "8x16x27 tn", Duration: 10 * time.Millisecond},
		{Op: "MatMul", Shape: "27x8x16 nt", Duration: 20 * time.Millisecond},
		{Op: "Scale", Shape: "27", Duration: 5 * time.Millisecond},
		{Op: "Scale", Shape: "30", Duration: 5 * time.Millisecond},
		{Op: "Add", Shape: "5"}, {Op: "Add", Shape: "6"},
	}
	pr.counts = []int{27, 30}
	var got [][]string
	for _, row := range pr.table().rows {
		got = append(got, row[:3])
	}
	want := [][]string{{"MatMul", "", "1.5"}, {"", "Tx8x16 nt", "1"}, {"", "8x16xT tn", "0.5"}, {"Scale", "T", "1"},
		{"Add", "2 shapes", "1"}, {"all kernels", "", "3.5"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if title := pr.table().title; !strings.HasSuffix(title, "; T is 27 to 30 tokens") {
		t.Errorf("the title is %q", title)
	}
}

func TestATraceHoldsEveryCall(t *testing.T) {
	var out bytes.Buffer
	if err := measured(t).writeTrace(&out); err != nil {
		t.Fatal(err)
	}
	var trace struct {
		TraceEvents []struct {
			Name, Ph string
			TS, Dur  float64
			TID      int
			Args     map[string]any
		}
	}
	if err := json.Unmarshal(out.Bytes(), &trace); err != nil {
		t.Fatal(err)
	}
	var spans []string
	for _, e := range trace.TraceEvents {
		if e.Ph == "X" {
			spans = append(spans, e.Name)
		}
		if e.Name == "MatMul" && e.Args["shape"] == "3x3x3 nn bf16" &&
			(e.TS != 15000 || e.Dur != 20000 || e.Args["flops"] != 3e9 || e.Args["bytes"] != 10e6) {
			t.Errorf("the event is %+v", e)
		}
	}
	want := []string{"step", "step", "Fill", "MatMul", "MatMul", "Fill", "MatMul", "MatMul"}
	if !slices.Equal(spans, want) {
		t.Errorf("the spans are %q, want %q", spans, want)
	}
}

func TestPlannedMemoryIsWhatAStageTakes(t *testing.T) {
	p := newProject(t, nil)
	wide := []string{"models.base.hidden=128", "models.base.layers=3", "stages.stable.batch_size=16", "stages.stable.steps=2"}
	p.run(t, "mini.yaml", wide...)
	made := p.process(t, "mini.yaml", wide...)
	cfg, known := made.planConfig("stable")
	if !known {
		t.Fatal("the plan does not know the model")
	}
	planned := made.planMemory(cfg, *made.recipe.Stages["stable"].Train).Total()
	if err := made.Profile(t.Context(), Profiling{Stage: "stable", Steps: 1}); err != nil {
		t.Fatal(err)
	}
	taken := made.device.(*meter.Device).PeakBytes()
	if off := float64(planned)/float64(taken) - 1; math.Abs(off) > 0.1 {
		t.Errorf("%d bytes are planned, %d taken: off by %.1f %%", planned, taken, 100*off)
	}
}

func TestSamplesAreWritten(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml")
	path := filepath.Join(p.dir, "samples")
	o := Profiling{Stage: "stable", Steps: 1, CPUProfile: path}
	if err := p.process(t, "mini.yaml").Profile(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	// pprof's format is gzipped.
	if text, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		t.Errorf("the samples begin with % x (%v)", text[:min(len(text), 8)], err)
	}
}
