package model

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// started is what an adapter's tensors were before PEFT trained them.
func started(expected stored) stored {
	start := stored{}
	for name, x := range expected {
		if name, ok := strings.CutPrefix(name, "start."); ok {
			start[name] = x
		}
	}
	return start
}

func readPEFT(t *testing.T, dir string) (p PEFT) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "adapter_config.json"))
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var adapters = []string{
	"adapter-some", "adapter-rslora", "adapter-dora", "adapter-reward", "adapter-nf4", "adapter-nf4-dora",
}

// inNF4 says whether a fixture's base is held in NF4.
func inNF4(name string) bool { return strings.HasPrefix(name, "adapter-nf4") }

// adapterBatch is a batch of make_adapters.py: rows of the same length, one after the other.
func adapterBatch(tokens []int32, rows int) Input {
	in := Input{Tokens: tokens}
	for i := range rows + 1 {
		in.Offsets = append(in.Offsets, int32(i*len(tokens)/rows))
	}
	return in
}

func TestTrainingAnAdapterEqualsPEFT(t *testing.T) {
	for _, name := range adapters {
		t.Run(name, func(t *testing.T) {
			dev, dir := openCPU(t), filepath.Join("testdata", name)
			p, want := readPEFT(t, dir), readStored(t, filepath.Join(dir, "expected.safetensors"))
			base := filepath.Join(dir, p.Base)
			cfg := readConfig(t, filepath.Join(base, "config.json"))
			options := []Option{WithAdapter(p.Adapter, 1)}
			if inNF4(name) {
				options = append(options, NF4Base())
			}
			m, err := Load(dev, cfg, p.Head, readWeights(t, base), options...)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if err := m.Restore(started(want)); err != nil {
				t.Fatal(err)
			}
			s := newAdapterSteps(t, m)
			shape, _ := want.Shape("tokens")
			tokens := want.ints("tokens")
			worst := 0.0
			for step, loss := range want["losses"].Data {
				n := shape[1] * shape[2]
				got := s.step(step, adapterBatch(tokens[step*n:(step+1)*n], shape[1]))
				if !near(got, loss, 1e-4) {
					t.Fatalf("step %d: loss %v, PEFT has %v", step, got, loss)
				}
				worst = max(worst, largestDifference([]float32{got}, []float32{loss}, 1))
			}
			note(t, "adapters", name, fmt.Sprintf("losses of %d steps", shape[0]), "%.0e", worst)
			compareTrained(t, m, readStored(t, filepath.Join(dir, "adapter_model.safetensors")))
		})
	}
}

func near(got, want, most float32) bool { return max(got-want, want-got) <= most*max(want, -want, 1) }

// adapterSteps trains as make_adapters.py does.
type adapterSteps struct {
	t              *testing.T
	m              *Model
	tape           *tensor.Tape
	moment, square accelerators.Buffer
}

func newAdapterSteps(t *testing.T, m *Model) *adapterSteps {
	t.Helper()
	s := &adapterSteps{t: t, m: m, tape: tensor.NewTape(m.dev, tensor.NewArena(m.dev))}
	for _, b := range []*accelerators.Buffer{&s.moment, &s.square} {
		var err error
		if *b, err = m.dev.Alloc(accelerators.F32, m.Params().Count()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// step learns a batch and returns its mean loss.
func (s *adapterSteps) step(number int, in Input) float32 {
	s.t.Helper()
	params := s.m.Params()
	params.ZeroGrad(s.m.dev)
	var loss float32
	hidden := s.m.Hidden(s.tape, in)
	if s.m.head == HeadLM {
		loss = s.learnTokens(hidden, in)
	} else {
		loss = s.learnOutputs(hidden, in)
	}
	s.m.dev.AdamW(params.Update(), params.Grad, s.moment, s.square, accelerators.AdamW{
		LR: 0.01, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Step: number + 1,
	})
	s.tape.Reset()
	return loss
}

func (s *adapterSteps) learnTokens(hidden *tensor.Tensor, in Input) (loss float32) {
	next := targets(in)
	var counted float32
	for _, id := range next {
		if id >= 0 {
			counted++
		}
	}
	gradient := slices.Repeat([]float32{1 / counted}, len(next))
	nll := s.download(s.m.LearnTokens(s.tape, hidden, next, gradient))
	if err := s.tape.Backward(); err != nil {
		s.t.Fatal(err)
	}
	for _, v := range nll {
		loss += v / counted
	}
	return loss
}

func (s *adapterSteps) learnOutputs(hidden *tensor.Tensor, in Input) (loss float32) {
	y := s.m.Outputs(s.tape, hidden, in)
	outputs := s.download(y)
	n := float32(len(outputs))
	gradient := make([]float32, len(outputs))
	for i, v := range outputs {
		loss, gradient[i] = loss+v*v/n, 2*v/n
	}
	if err := s.tape.Backward(tensor.Seed{Of: y, Grad: gradient}); err != nil {
		s.t.Fatal(err)
	}
	return loss
}

func (s *adapterSteps) download(x *tensor.Tensor) []float32 {
	s.t.Helper()
	values, err := s.tape.Download(x)
	if err != nil {
		s.t.Fatal(err)
	}
	return values
}

func compareTrained(t *testing.T, m *Model, want stored) {
	t.Helper()
	trained, err := m.Trained()
	if err != nil {
		t.Fatal(err)
	}
	if len(trained) != len(want.Names()) {
		t.Fatalf("%d tensors are trained, PEFT has %d", len(trained), len(want.Names()))
	}
	for _, x := range trained {
		if !slices.Equal(want[x.Name].Shape, x.Shape) {
			t.Fatalf("%s has shape %v, PEFT's %v", x.Name, x.Shape, want[x.Name].Shape)
		}
		if d := largestDifference(x.Data, want[x.Name].Data, 0.1); d > 1e-3 {
			t.Errorf("%s differs by %g", x.Name, d)
		}
	}
}

func TestAMergedAdapterEqualsPEFT(t *testing.T) {
	for _, name := range adapters {
		t.Run(name, func(t *testing.T) {
			dev, dir := openCPU(t), filepath.Join("testdata", name)
			p, want := readPEFT(t, dir), readStored(t, filepath.Join(dir, "expected.safetensors"))
			base := filepath.Join(dir, p.Base)
			m, err := Load(dev, readConfig(t, filepath.Join(base, "config.json")), p.Head, readWeights(t, base), Frozen())
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if inNF4(name) {
				if err := m.RoundToNF4(); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.Merge(p.Adapter, readStored(t, filepath.Join(dir, "adapter_model.safetensors"))); err != nil {
				t.Fatal(err)
			}
			shape, _ := want.Shape("tokens")
			in := adapterBatch(want.ints("tokens")[:shape[1]*shape[2]], shape[1])
			tape := tensor.NewInference(dev, tensor.NewArena(dev))
			y := m.Hidden(tape, in)
			if m.head == HeadLM {
				y = m.Logits(tape, y)
			} else {
				y = m.Outputs(tape, y, in)
			}
			got, err := tape.Download(y)
			if err != nil {
				t.Fatal(err)
			}
			d := largestDifference(got, want["logits"].Data, 1)
			if d > 1e-4 {
				t.Errorf("logits differ by %g", d)
			}
			note(t, "adapters", name, "merged", "%.0e", d)
		})
	}
}

// Before it is trained, an adapter changes nothing: not a bit with LoRA.
func TestAnAdapterAtZeroIsItsBase(t *testing.T) {
	for _, dora := range []bool{false, true} {
		dev := openCPU(t)
		f := loadFixture(t, dev, "qwen3")
		a := Adapter{Rank: 3, Alpha: 6, Targets: []string{AllLinear}, DoRA: dora}
		adapted, err := Load(dev, f.Model.Config(), HeadLM, readWeights(t, filepath.Join("testdata", "qwen3")), WithAdapter(a, 1))
		if err != nil {
			t.Fatal(err)
		}
		var hidden [2][]float32
		for i, m := range []*Model{f.Model, adapted} {
			tape := tensor.NewInference(dev, tensor.NewArena(dev))
			if hidden[i], err = tape.Download(m.Hidden(tape, f.input)); err != nil {
				t.Fatal(err)
			}
		}
		if d := largestDifference(hidden[0], hidden[1], 1); d > 1e-5 || !dora && d > 0 {
			t.Errorf("DoRA %v: hidden states differ by %g", dora, d)
		}
		adapted.Close()
	}
}

func TestAdaptersThatDoNotFitAreRefused(t *testing.T) {
	dev := openCPU(t)
	dir := filepath.Join("testdata", "llama-untied")
	cfg := readConfig(t, filepath.Join(dir, "config.json"))
	for _, c := range []struct {
		adapter Adapter
		want    string
	}{
		{Adapter{Rank: 0, Alpha: 1, Targets: []string{AllLinear}}, "rank 0"},
		{Adapter{Rank: 1, Alpha: 1, Targets: []string{"query"}}, "no matrix is called query; there are q_proj, k_proj"},
		{Adapter{Rank: 1, Alpha: 1}, "targets nothing"},
	} {
		_, err := Load(dev, cfg, HeadLM, readWeights(t, dir), WithAdapter(c.adapter, 1))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	f := loadFixture(t, dev, "llama-untied", Frozen())
	err := f.Model.Merge(Adapter{Rank: 2, Alpha: 1, Targets: []string{AllLinear}}, readStored(t, "testdata/adapter-some/adapter_model.safetensors"))
	if err == nil || !strings.Contains(err.Error(), "has shape [3 16], the adapter's configuration wants [2 16]") {
		t.Errorf("error %v", err)
	}
}

func TestConfigurationsOfPEFTThatAreNotKnownAreRefused(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"peft_type", `"IA3"`, "IA3"}, {"bias", `"all"`, "bias"}, {"fan_in_fan_out", "true", "fan_in_fan_out"},
		{"rank_pattern", `{"q_proj": 3}`, "rank_pattern"}, {"use_qalora", "true", "use_qalora"},
		{"modules_to_save", `["embed_tokens"]`, "embed_tokens"}, {"init_lora_weights", `"pissa"`, "pissa"},
		{"brand_new", `{"a": 1}`, "brand_new"},
	} {
		var p PEFT
		err := json.Unmarshal(fmt.Appendf(nil, `{"peft_type": "LORA", "r": 1, "lora_alpha": 1, %q: %s}`, c.key, c.value), &p)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.key, err)
		}
	}
}

func TestAConfigurationOfPEFTSurvivesWriting(t *testing.T) {
	for _, name := range adapters {
		p := readPEFT(t, filepath.Join("testdata", name))
		raw, err := json.Marshal(p)
		var again PEFT
		if err == nil {
			err = json.Unmarshal(raw, &again)
		}
		if err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
			t.Errorf("%s: %v came back as %v, %v", name, p, again, err)
		}
	}
}
