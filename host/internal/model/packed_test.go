package model

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// loadBase loads a fixture's model.
func loadBase(t *testing.T, dev accelerators.Device, name string, options ...Option) *Model {
	t.Helper()
	dir := filepath.Join("testdata", name)
	m, err := Load(dev, readConfig(t, filepath.Join(dir, "config.json")), HeadLM, readWeights(t, dir), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// heldBy are all weights of a model, by name.
func heldBy(t *testing.T, m *Model) stored {
	t.Helper()
	all, err := m.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	held := stored{}
	for _, x := range all {
		held[x.Name] = x
	}
	return held
}

// Numbers of a formula, in more than one group of scales.
func TestNF4HoldsWhatBitsandbytesHolds(t *testing.T) {
	dev := openCPU(t)
	want := readStored(t, filepath.Join("testdata", "nf4.safetensors"))["held"].Data
	x := make([]float32, len(want))
	for i := range x {
		h := float64(uint32(i*2654435761))/(1<<32) - 0.5
		x[i] = float32(h * h * h * 8)
	}
	values, err := dev.Alloc(accelerators.F32, len(x))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := dev.Alloc(accelerators.I32, accelerators.NF4Words(len(x)))
	if err != nil {
		t.Fatal(err)
	}
	dev.UploadF32(values, x)
	dev.PackNF4(packed, values)
	dev.UnpackNF4(values, packed, len(x), 0)
	if err := dev.DownloadF32(x, values); err != nil {
		t.Fatal(err)
	}
	d := largestDifference(x, want, 0)
	if d > 1e-6 {
		t.Errorf("values differ by %g", d)
	}
	t.Logf("values differ by %.0e of the largest", d)
}

func TestABaseInNF4HoldsWhatPEFTTrainsBeside(t *testing.T) {
	for _, name := range []string{"adapter-nf4", "adapter-nf4-dora"} {
		dev, dir := openCPU(t), filepath.Join("testdata", name)
		p, expected := readPEFT(t, dir), readStored(t, filepath.Join(dir, "expected.safetensors"))
		base := filepath.Base(p.Base)
		original := heldBy(t, loadBase(t, dev, base))
		got := heldBy(t, loadBase(t, dev, base, WithAdapter(p.Adapter, 1), NF4Base()))
		for tensor, x := range got {
			want, held := expected["held."+tensor]
			if !held {
				want = original[tensor]
			}
			if d := largestDifference(x.Data, want.Data, 0); d > 1e-6 || !held && d > 0 {
				t.Errorf("%s: %s differs by %g", name, tensor, d)
			}
		}
	}
}

// rounded is a model of full weights that have the values of NF4.
func rounded(t *testing.T, dev accelerators.Device, name string, options ...Option) *Model {
	t.Helper()
	m := loadBase(t, dev, name, options...)
	if err := m.RoundToNF4(); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRoundedWeightsAreThoseHeldInNF4(t *testing.T) {
	dev := openCPU(t)
	a := WithAdapter(Adapter{Rank: 2, Alpha: 2, Targets: []string{AllLinear}}, 1)
	for _, name := range []string{"qwen3", "gemma2", "llama-tied"} {
		want, got := heldBy(t, rounded(t, dev, name)), heldBy(t, loadBase(t, dev, name, a, NF4Base()))
		for tensor, x := range got {
			if !slices.Equal(x.Data, want[tensor].Data) {
				t.Errorf("%s: %s differs", name, tensor)
			}
		}
	}
}

// Losses and gradients are those beside full weights of the same values; at first, an adapter changes nothing.
func TestTrainingBesideNF4EqualsTrainingBesideItsValues(t *testing.T) {
	for _, dora := range []bool{false, true} {
		for _, checkpointed := range []bool{false, true} {
			dev := openCPU(t)
			a := WithAdapter(Adapter{Rank: 3, Alpha: 6, Targets: []string{"q_proj", "v_proj", "up_proj", "down_proj"}, DoRA: dora}, 1)
			full, packed := rounded(t, dev, "qwen3", a), loadBase(t, dev, "qwen3", a, NF4Base())
			at := adapterBatch([]int32{5, 6, 7, 3, 9, 8, 4, 11, 12, 10}, 2)
			var losses [2][]float32
			for i, m := range []*Model{full, packed} {
				m.SetCheckpointing(checkpointed)
				s := newAdapterSteps(t, m)
				for step := range 5 {
					losses[i] = append(losses[i], s.step(step, at))
				}
			}
			if losses[0][0] != losses[1][0] || largestDifference(losses[0], losses[1], 1) > 1e-6 {
				t.Errorf("DoRA %v: losses %v, beside full weights %v", dora, losses[1], losses[0])
			}
			if losses[1][4] >= losses[1][0] {
				t.Errorf("DoRA %v: nothing is learned: %v", dora, losses[1])
			}
			if d := largestDifference(gradients(t, packed), gradients(t, full), 1); d > 1e-5 {
				t.Errorf("DoRA %v: gradients differ by %g", dora, d)
			}
		}
	}
}

// gradients are those of the last step.
func gradients(t *testing.T, m *Model) []float32 {
	t.Helper()
	host := make([]float32, m.Params().Grad.Len)
	if err := m.dev.DownloadF32(host, m.Params().Grad); err != nil {
		t.Fatal(err)
	}
	return host
}

func TestAModelIsLoadedFromAnother(t *testing.T) {
	dev := openCPU(t)
	a := WithAdapter(Adapter{Rank: 2, Alpha: 2, Targets: []string{AllLinear}}, 1)
	f := loadFixture(t, dev, "qwen2")
	m, err := Load(dev, f.Model.Config(), HeadLM, f.Model, a, NF4Base())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want := heldBy(t, loadBase(t, dev, "qwen2", a, NF4Base()))
	for name, x := range heldBy(t, m) {
		if !slices.Equal(x.Data, want[name].Data) {
			t.Errorf("%s differs", name)
		}
	}
	if err := f.Model.Upload("nothing", dev, accelerators.Buffer{}); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("error %v", err)
	}
}

// DoRA's magnitudes are the norms of the weights that it is trained beside, whatever was merged into them before.
func TestAnAdapterOnAnAdapterStartsAsItsBase(t *testing.T) {
	dev := openCPU(t)
	dir := filepath.Join("testdata", "adapter-some")
	p, trained := readPEFT(t, dir), readStored(t, filepath.Join(dir, "adapter_model.safetensors"))
	f := loadFixture(t, dev, "llama-untied")
	dora := WithAdapter(Adapter{Rank: 2, Alpha: 2, Targets: []string{AllLinear}, DoRA: true}, 1)
	adapted := loadBase(t, dev, "llama-untied", dora)
	var hidden [2][]float32
	for i, m := range []*Model{f.Model, adapted} {
		if err := m.Merge(p.Adapter, trained); err != nil {
			t.Fatal(err)
		}
		tape := tensor.NewInference(dev, tensor.NewArena(dev))
		var err error
		if hidden[i], err = tape.Download(m.Hidden(tape, f.input)); err != nil {
			t.Fatal(err)
		}
	}
	if d := largestDifference(hidden[0], hidden[1], 1); d > 1e-5 {
		t.Errorf("hidden states differ by %g", d)
	}
}

func TestABaseInNF4TakesFewBytes(t *testing.T) {
	dev := openCPU(t)
	cfg := Config{
		ModelType: Llama, HiddenAct: "silu", HiddenSize: 256, IntermediateSize: 512, NumHiddenLayers: 2, NumAttentionHeads: 4,
		NumKeyValueHeads: 4, HeadDim: 64, VocabSize: 10, MaxPositionEmbeddings: 16, RMSNormEps: 1e-6, RopeTheta: 1e4,
		InitializerRange: 0.02, TieWordEmbeddings: true,
	}
	a := WithAdapter(Adapter{Rank: 1, Alpha: 1, Targets: []string{"q_proj"}}, 1)
	m, err := New(dev, cfg, HeadLM, 1, a, NF4Base())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	inner := int64(2 * (4*256*256 + 3*256*512))
	rest := cfg.Parameters() - inner
	bits := float64(m.FrozenBytes()-4*rest) * 8 / float64(inner)
	if bits < 4.12 || bits > 4.17 { // 4 of the code, 8/64 of the scale, and padding
		t.Errorf("%.3f bits for a weight", bits)
	}
}

func TestNF4WithoutAnAdapterIsRefused(t *testing.T) {
	dev := openCPU(t)
	dir := filepath.Join("testdata", "qwen2")
	_, err := Load(dev, readConfig(t, filepath.Join(dir, "config.json")), HeadLM, readWeights(t, dir), NF4Base())
	if err == nil || !strings.Contains(fmt.Sprint(err), "need an adapter") {
		t.Errorf("error %v", err)
	}
}
