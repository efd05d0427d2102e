package model

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators"
	_ "github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// fixtures are the cases of testdata/make_fixtures.py.
var fixtures = []string{
	"llama-tied", "llama-untied", "llama-reward", "mistral", "mistral-reward", "qwen2", "qwen2-window", "qwen2-reward",
	"qwen3", "qwen3-window", "qwen3-classes", "gemma2", "gemma2-reward", "gemma3",
	"gemma3-classes", "bert", "xlm-roberta",
}

func openCPU(t testing.TB) accelerators.Device {
	t.Helper()
	dev, _, err := accelerators.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dev.Sync(); err != nil {
			t.Errorf("the device ends with an error: %v", err)
		}
		dev.Close()
	})
	return dev
}

// stored is tensors of a safetensors file, or made by a test. It is a Source.
type stored map[string]NamedTensor

func (s stored) Names() []string {
	var names []string
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s stored) Shape(name string) ([]int, bool) {
	x, ok := s[name]
	return x.Shape, ok
}

func (s stored) Upload(name string, dev accelerators.Memory, dst accelerators.Buffer) error {
	dev.UploadF32(dst, s[name].Data)
	return nil
}

func (s stored) ints(name string) []int32 {
	var ints []int32
	for _, v := range s[name].Data {
		ints = append(ints, int32(v))
	}
	return ints
}

// readStored reads a fixture: float32 and int32 tensors, trusted.
func readStored(t testing.TB, path string) stored {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	body := 8 + binary.LittleEndian.Uint64(file)
	var header map[string]struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(file[8:body], &header); err != nil {
		t.Fatal(err)
	}
	s := stored{}
	for name, h := range header {
		if name == "__metadata__" {
			continue
		}
		x := NamedTensor{Name: name, Shape: h.Shape}
		for raw := file[body:][h.Offsets[0]:h.Offsets[1]]; len(raw) > 0; raw = raw[4:] {
			bits := binary.LittleEndian.Uint32(raw)
			if h.DType == "I32" {
				x.Data = append(x.Data, float32(int32(bits)))
			} else {
				x.Data = append(x.Data, math.Float32frombits(bits))
			}
		}
		s[name] = x
	}
	return s
}

// readWeights reads the tensors of a fixture's model, which may be in several files and in any type.
func readWeights(t testing.TB, dir string) stored {
	t.Helper()
	file, err := checkpoint.OpenTensors(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := stored{}
	for _, name := range file.Names() {
		x := NamedTensor{Name: name}
		x.Shape, _ = file.Shape(name)
		x.Data = make([]float32, (&part{shape: x.Shape}).size())
		if err := file.Read(name, x.Data); err != nil {
			t.Fatal(err)
		}
		s[name] = x
	}
	return s
}

func readConfig(t testing.TB, path string) Config {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	if err := json.Unmarshal(file, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// A fixture is a loaded case and what transformers computes with it.
type fixture struct {
	*Model
	expected stored
	input    Input
}

func loadFixture(t testing.TB, dev accelerators.Device, name string, opts ...Option) fixture {
	t.Helper()
	dir := filepath.Join("testdata", name)
	cfg := readConfig(t, filepath.Join(dir, "config.json"))
	weights, err := checkpoint.OpenTensors(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	m, err := Load(dev, cfg, cfg.Head(), weights, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	expected := readStored(t, filepath.Join(dir, "expected.safetensors"))
	return fixture{m, expected, Input{Tokens: expected.ints("tokens"), Offsets: expected.ints("offsets")}}
}

// targets are the next tokens within each sequence.
func targets(in Input) []int32 {
	next := append(slices.Clone(in.Tokens[1:]), -1)
	for _, end := range in.Offsets[1:] {
		next[end-1] = -1
	}
	return next
}

// end is the head's answer, by which the fixture's loss is weighted.
func (f fixture) end(t *tensor.Tape, hidden *tensor.Tensor) (name string, y *tensor.Tensor) {
	if f.Head() == HeadLM {
		return "nll", f.TokenNLL(t, hidden, targets(f.input))
	}
	return "outputs", f.Outputs(t, hidden, f.input)
}

// largestDifference is relative to the largest of the wanted values. Where all should be next to nothing, as the
// gradient of a key's bias, to which softmax is blind, it is relative to floor.
func largestDifference(got, want []float32, floor float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	worst, scale := 0.0, floor
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
		scale = max(scale, math.Abs(float64(want[i])))
	}
	return worst / scale
}

// note logs a cell of docs/compatibility.md, from where the program of that name collects it.
func note(t *testing.T, table, row, column, format string, value ...any) {
	t.Logf("compatibility: %s | %s | %s | "+format, append([]any{table, row, column}, value...)...)
}

func TestForwardAndGradientsEqualTransformers(t *testing.T) {
	for _, fixture := range fixtures {
		t.Run(fixture, func(t *testing.T) {
			dev := openCPU(t)
			f := loadFixture(t, dev, fixture)
			arena := tensor.NewArena(dev)
			tape := tensor.NewTape(dev, arena)
			hidden := f.Hidden(tape, f.input)
			end, y := f.end(tape, hidden)
			compared := map[string]*tensor.Tensor{"hidden": hidden, end: y}
			if f.Head() == HeadLM {
				compared["logits"] = f.Logits(tape, hidden)
			}
			for _, name := range slices.Sorted(maps.Keys(compared)) {
				got, err := tape.Download(compared[name])
				if err != nil {
					t.Fatal(err)
				}
				d := largestDifference(got, f.expected[name].Data, 1)
				if d > 1e-5 {
					t.Errorf("%s differs by %g", name, d)
				}
				note(t, "models", fixture, name, "%.0e", d)
			}
			if err := tape.Backward(tensor.Seed{Of: y, Grad: f.expected["weights"].Data}); err != nil {
				t.Fatal(err)
			}
			note(t, "models", fixture, "gradients", "%.0e", f.compareGradients(t))
			if tape.Reset(); arena.Lent() != 0 {
				t.Errorf("%d bytes lent after Reset", arena.Lent())
			}
		})
	}
}

// compareGradients returns the largest difference of all weights.
func (f fixture) compareGradients(t *testing.T) (worst float64) {
	t.Helper()
	compared := 0
	for _, p := range f.parts {
		want, there := f.expected["grad."+p.name]
		if !there {
			continue
		}
		compared++
		got := make([]float32, p.size())
		if err := f.dev.DownloadF32(got, p.param.Grad.Slice(p.off, p.size())); err != nil {
			t.Fatal(err)
		}
		d := largestDifference(got, want.Data, 0.01)
		if d > 2e-5 {
			t.Errorf("the gradient of %s differs by %g", p.name, d)
		}
		worst = max(worst, d)
	}
	stored := 0
	for name := range f.expected {
		if len(name) > 5 && name[:5] == "grad." {
			stored++
		}
	}
	if compared != stored || compared != len(f.parts) {
		t.Errorf("%d gradients of %d weights compared, %d stored", compared, len(f.parts), stored)
	}
	return worst
}

func TestRotaryFrequenciesEqualTransformers(t *testing.T) {
	file, err := os.ReadFile("testdata/rope.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name    string
		Config  Config
		Length  int
		Inverse []float64
		Factor  float64
	}
	if err := json.Unmarshal(file, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got, factor := c.Config.frequencies(c.Length)
		if math.Abs(float64(factor)-c.Factor) > 1e-6 || len(got) != len(c.Inverse) {
			t.Errorf("%s: factor %g of %d frequencies, want %g of %d", c.Name, factor, len(got), c.Factor, len(c.Inverse))
			continue
		}
		for i, want := range c.Inverse {
			if math.Abs(float64(got[i])-want) > 1e-6*want {
				t.Errorf("%s: frequency %d is %g, want %g", c.Name, i, got[i], want)
			}
		}
	}
}

func TestGreedyGenerationEqualsTransformers(t *testing.T) {
	for _, name := range fixtures {
		dev := openCPU(t)
		f := loadFixture(t, dev, name, Frozen())
		if f.Head() != HeadLM {
			continue
		}
		want := f.expected["answers"]
		n := want.Shape[1]
		var prompts, answers [][]int32
		for i, end := range f.input.Offsets[1:] {
			prompts = append(prompts, f.input.Tokens[f.input.Offsets[i]:end])
			answers = append(answers, f.expected.ints("answers")[i*n:(i+1)*n])
		}
		got, err := f.Generate(t.Context(), prompts, Generation{MaxTokens: n, Stop: []int32{}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(answers, got); diff != "" {
			t.Errorf("%s (-transformers +here):\n%s", name, diff)
			continue
		}
		note(t, "models", name, "greedy", "%d of %d", len(got), len(answers))
	}
}
