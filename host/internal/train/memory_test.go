package train

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dry"
	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// A gauge is a device that knows how much memory it has given, and may have little.
type gauge struct {
	accelerators.Device
	used, most, room int64
}

func (g *gauge) Alloc(t accelerators.DType, n int) (accelerators.Buffer, error) {
	bytes := int64(n) * int64(t.Size())
	if g.room > 0 && g.used+bytes > g.room {
		return accelerators.Buffer{}, fmt.Errorf("gauge: %d of %d bytes are in use", g.used, g.room)
	}
	g.used += bytes
	g.most = max(g.most, g.used)
	return g.Device.Alloc(t, n)
}

func (g *gauge) Free(b accelerators.Buffer) {
	g.used -= int64(b.Len) * int64(b.Type.Size())
	g.Device.Free(b)
}

// full makes every micro-batch as large as the recipe allows.
func (s stage) full() stage {
	off := false
	s.spec.Packing, s.spec.SequenceLen, s.spec.OverLength, s.spec.Steps, s.spec.SaveSteps = &off, 6, "cut", 4, 100
	return s
}

func TestFootprintIsWhatAStageTakes(t *testing.T) {
	t.Parallel()
	for _, s := range everyStage() {
		s = s.full()
		dev := &gauge{Device: openCPU(t)}
		job := s.job(t, dev, t.TempDir())
		want, err := Footprint(false, job.Model.Config(), s.spec)
		if err != nil {
			t.Fatal(err)
		}
		res, err := Run(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		if res.PeakBytes != want.Activations {
			t.Errorf("%s: %d bytes are predicted for activations, %d were taken", s.name(), want.Activations, res.PeakBytes)
		}
		if off := float64(want.Total()-dev.most) / float64(dev.most); off < -0.1 || off > 0.1 {
			t.Errorf("%s: %d bytes are predicted, the device gave %d", s.name(), want.Total(), dev.most)
		}
	}
}

// Packed rows are not quite full, and how many sequences they hold is the data's affair.
func TestAStageOfAnyDataFitsItsReservation(t *testing.T) {
	t.Parallel()
	for _, objective := range objectives {
		for _, micro := range []int{1, 2, 3, 0} {
			s := newStage(objective)
			s.spec.MicroBatchSize, s.spec.Steps, s.spec.Epochs, s.spec.SaveSteps = micro, 0, 2, 100
			job := s.job(t, openCPU(t), t.TempDir())
			want, _, err := rehearse(dry.New(false), job.Model.Config(), s.spec, job.largest())
			if err != nil {
				t.Fatal(err)
			}
			bound, err := Footprint(false, job.Model.Config(), s.spec)
			if err != nil {
				t.Fatal(err)
			}
			res, err := Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			if got := res.PeakBytes; got != want.Total() {
				t.Errorf("%s, micro-batches of %d: the arena has %d bytes, planned were %d", objective, micro, got, want.Total())
			}
			// A packed row holds more sequences, hence indices, than a full one.
			if got, most := res.PeakBytes, bound.Activations+4096; got > most {
				t.Errorf("%s, micro-batches of %d: %d bytes, Footprint says %d", objective, micro, got, most)
			}
		}
	}
}

func TestCheckpointingChangesNoBit(t *testing.T) {
	t.Parallel()
	dev := openCPU(t)
	for _, s := range everyStage() {
		if s.spec.GradientCheckpointing || s.spec.Objective == "pairwise" {
			continue
		}
		s.spec.Steps = 4
		want := finished(t, s.run(t, dev, t.TempDir()).Dir)
		s.spec.GradientCheckpointing = true
		requireSame(t, s.arch+" "+s.spec.Objective, finished(t, s.run(t, dev, t.TempDir()).Dir), want)
	}
}

// tower is a model whose layers outweigh its head.
func tower(arch string) model.Config {
	shape := recipe.Model{Arch: arch, Layers: 16, Hidden: 64, Heads: 4, KVHeads: 2, Context: 256, RopeTheta: 1e4}
	return model.ConfigFromRecipe(shape, 100, model.Special{PAD: 0, BOS: 1, EOS: 2})
}

func TestCheckpointingTakesLessMemory(t *testing.T) {
	for arch, objective := range map[string]string{model.Llama: "next_token", model.Roberta: "regression"} {
		spec := recipe.Train{Objective: objective, BatchSize: 4}
		whole, err := Footprint(false, tower(arch), spec)
		if err != nil {
			t.Fatal(err)
		}
		spec.GradientCheckpointing = true
		less, err := Footprint(false, tower(arch), spec)
		if err != nil {
			t.Fatal(err)
		}
		if less.Activations*4 > whole.Activations || less.Weights != whole.Weights {
			t.Errorf("%s: checkpointing takes %d bytes, recording %d", arch, less.Activations, whole.Activations)
		}
	}
}

func llama8B() model.Config {
	return model.ConfigFromRecipe(recipe.Model{
		Arch: model.Llama, Layers: 32, Hidden: 4096, Inner: 14336, Heads: 32, KVHeads: 8, Context: 8192, RopeTheta: 5e5,
		TieEmbedding: new(bool),
	}, 128256, model.Special{PAD: -1, BOS: 1, EOS: 2})
}

func TestTheFootprintOfALargeModelIsFoundAtOnce(t *testing.T) {
	begin := time.Now()
	m, err := Footprint(false, llama8B(), recipe.Train{Objective: "next_token", BatchSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	if m.Weights != 4*8_030_261_248 || m.Moments != 2*m.Weights || m.Gradients != m.Weights || m.Activations < 32<<30 {
		t.Errorf("%+v", m)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAStageWithoutRoomIsRefusedBeforeItsFirstStep(t *testing.T) {
	s := newStage("next_token")
	dev := &gauge{Device: openCPU(t)}
	dir := t.TempDir()
	job := s.job(t, dev, dir)
	dev.room = dev.used + 100_000
	_, err := Run(t.Context(), job)
	want := []string{
		"train toy: the device has no room: 1 MiB for the activations of a pass over ",
		" tokens and 1 MiB for the moments of ",
		fmt.Sprintf("gauge: %d of %d bytes are in use", dev.used, dev.room),
		"a smaller micro_batch_size or sequence_len, gradient_checkpointing: true, or optimizer: adamw_8bit, needs less",
	}
	for _, part := range want {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %v, want %q in it", err, part)
		}
	}
	if _, _, ok, _ := checkpoint.Latest(dir); ok {
		t.Error("there is a checkpoint of a stage that was refused")
	}
	if dev.used > dev.room-100_000+int64(8*job.Model.Params().Count()) {
		t.Errorf("a refused stage keeps %d bytes", dev.used)
	}
}

func TestABatchOfAnExtentHasIt(t *testing.T) {
	for _, e := range []extent{{12, 3, 4}, {12, 5, 4}, {9, 7, 3}, {9, 4, 6}, {1, 1, 1}} {
		b := e.batch()
		b.Rows = []int32{0, int32(len(b.Sequences))}
		if got := (extent{}).with(b, 1); got != e {
			t.Errorf("%+v became %+v", e, got)
		}
		if len(b.Tokens) != e.tokens || len(b.Positions) != e.tokens || len(b.Offsets) != e.sequences+1 {
			t.Errorf("%+v: %d tokens, %d positions, offsets %v", e, len(b.Tokens), len(b.Positions), b.Offsets)
		}
	}
}

func TestASpecThatNoModelCanLearnHasNoFootprint(t *testing.T) {
	_, err := Footprint(false, tower(model.Roberta), recipe.Train{Objective: "next_token", BatchSize: 1})
	if err == nil || !strings.Contains(err.Error(), "memory of a train stage: ") {
		t.Errorf("error %v", err)
	}
}

func TestBF16ReachesTheTape(t *testing.T) {
	s := newStage("next_token")
	for _, on := range []bool{false, true} {
		s.spec.BF16 = on
		r := newRun(s.job(t, openCPU(t), t.TempDir()))
		if got := r.tape.Compute == accelerators.BF16; got != on {
			t.Errorf("bf16: %v gives a tape that computes in %v", on, r.tape.Compute)
		}
	}
}
