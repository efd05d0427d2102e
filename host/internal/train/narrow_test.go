package train

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators/acceltest/narrow"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// everyNarrowStage is every stage, and adapters beside weights that are not packed, in BF16; few of them with -short.
func everyNarrowStage() []stage {
	all := everyStage()
	if testing.Short() {
		all = []stage{newStage("next_token"), newStage("regression"), newStage("dpo").packed()}
	}
	for _, dora := range []bool{false, true} {
		s := newStage("next_token")
		s.spec.LoRA = &recipe.LoRA{Rank: 2, Alpha: 4, Targets: recipe.Fields{"q_proj", "down_proj"}, DoRA: dora}
		all = append(all, s)
	}
	for i := range all {
		all[i].spec.BF16 = true
	}
	return all
}

// The first loss is of the same weights, and rounding is all that differs; later ones go their own ways.
func TestActivationsInBF16LearnWhatThoseInF32Learn(t *testing.T) {
	t.Parallel()
	for _, s := range everyNarrowStage() {
		if s.spec.SaveSteps = 1000; !testing.Short() {
			s.spec.Steps = 50
		}
		got := s.run(t, narrow.Open(t), t.TempDir())
		s.spec.BF16 = false
		want := s.run(t, openCPU(t), t.TempDir())
		first, last := off(got.FirstLoss, want.FirstLoss), off(got.LastLoss, want.LastLoss)
		if first > 1e-3 || last > 0.05 {
			t.Errorf("%s: the first loss is %g, in f32 %g; the last %g, in f32 %g",
				s.name(), got.FirstLoss, want.FirstLoss, got.LastLoss, want.LastLoss)
		}
	}
}

func off(got, want float64) float64 { return math.Abs(got-want) / (0.1 + math.Abs(want)) }

func TestAStageInBF16ResumesToTheSameBits(t *testing.T) {
	t.Parallel()
	dev := narrow.Open(t)
	lora := newStage("next_token").packed()
	lora.spec.LoRA.Base = ""
	for _, s := range []stage{newStage("next_token"), newStage("dpo"), newStage("dpo").packed(), lora} {
		s.spec.BF16 = true
		whole, dir, cause := t.TempDir(), t.TempDir(), errors.New("stop")
		want := s.run(t, dev, whole)
		if err := interrupted(t, s.job(t, dev, dir), 4, cause); !errors.Is(err, cause) {
			t.Fatal(err)
		}
		got := s.run(t, dev, dir)
		requireSame(t, s.name(), finished(t, got.Dir), finished(t, want.Dir))
		if diff := cmp.Diff(steps(t, whole), steps(t, dir)); diff != "" {
			t.Errorf("%s: metrics (-uninterrupted +resumed):\n%s", s.name(), diff)
		}
	}
}

func TestCheckpointingInBF16ChangesNoBit(t *testing.T) {
	t.Parallel()
	for _, objective := range []string{"next_token", "pairwise"} {
		s := newStage(objective)
		s.spec.BF16, s.spec.Steps = true, 5
		want := finished(t, s.run(t, narrow.Open(t), t.TempDir()).Dir)
		s.spec.GradientCheckpointing = true
		requireSame(t, objective, finished(t, s.run(t, narrow.Open(t), t.TempDir()).Dir), want)
	}
}

func TestMicroBatchesInBF16LearnWhatTheWholeBatchLearns(t *testing.T) {
	t.Parallel()
	dev := narrow.Open(t)
	some := objectives
	if testing.Short() {
		some = []string{"next_token"}
	}
	for _, objective := range some {
		s := newStage(objective)
		s.spec.BF16, s.spec.Steps, s.spec.Epochs, s.spec.SaveSteps, s.spec.Epsilon = true, 0, 1, 1000, 1e-3
		before, want := weights(t, dev, s, 5)
		for _, micro := range []int{2, 3} {
			_, got := weights(t, dev, s, micro)
			if away, moved := farthest(got, want), farthest(before, want); !(away <= moved/50) {
				t.Errorf("%s, %d rows at a time: a weight is off by %g, of %g that it moved", objective, micro, away, moved)
			}
		}
	}
}

func TestFootprintInBF16IsWhatAStageTakes(t *testing.T) {
	t.Parallel()
	for _, s := range everyNarrowStage() {
		s = s.full()
		dev := &gauge{Device: narrow.Open(t)}
		job := s.job(t, dev, t.TempDir())
		want, err := Footprint(true, job.Model.Config(), s.spec)
		if err != nil {
			t.Fatal(err)
		}
		res, err := Run(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		if res.PeakBytes != want.Activations {
			t.Errorf("%s: %d bytes are predicted, %d were taken", s.name(), want.Activations, res.PeakBytes)
		}
		if off := float64(want.Total()-dev.most) / float64(dev.most); off < -0.1 || off > 0.1 {
			t.Errorf("%s: %d bytes are predicted, the device gave %d", s.name(), want.Total(), dev.most)
		}
	}
}

// Of an 8B model beside which an adapter is trained, 2 bytes a weight stay, and an activation is half as large.
func TestBF16HalvesActivationsAndFrozenWeights(t *testing.T) {
	cfg := llama8B()
	spec := recipe.Train{Objective: "next_token", BatchSize: 1, BF16: true,
		LoRA: &recipe.LoRA{Rank: 8, Alpha: 16, Targets: recipe.Fields{"q_proj"}}}
	var taken [2]Memory
	for i, holds := range []bool{false, true} {
		var err error
		if taken[i], err = Footprint(holds, cfg, spec); err != nil {
			t.Fatal(err)
		}
	}
	for what, share := range map[string]float64{
		"weights":     float64(taken[1].Weights) / float64(taken[0].Weights),
		"activations": float64(taken[1].Activations) / float64(taken[0].Activations),
	} {
		if math.Abs(share-0.5) > 0.03 {
			t.Errorf("%s take %.3f of what they do in f32", what, share)
		}
	}
}
