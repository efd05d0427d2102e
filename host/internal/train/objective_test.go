package train

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// fixtures are the objectives, each with its model in testdata and that model's head. testdata/fixtures.py writes both.
var fixtures = []struct {
	objective, model string
	head             model.Head
}{
	{"next_token", "lm", model.HeadLM},
	{"dpo", "lm", model.HeadLM},
	{"pairwise", "rater", model.HeadClassify},
	{"regression", "rater", model.HeadClassify},
	{"classification", "classes", model.HeadClassify},
}

// fixtureBeta is BETA of testdata/fixtures.py.
const fixtureBeta = 0.3

func openTensors(t *testing.T, dir, base string) *checkpoint.Tensors {
	t.Helper()
	file, err := checkpoint.OpenTensors(dir, base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// values reads a tensor; nil when the file lacks it.
func values(t *testing.T, file *checkpoint.Tensors, name string) []float32 {
	t.Helper()
	shape, ok := file.Shape(name)
	if !ok {
		return nil
	}
	n := 1
	for _, d := range shape {
		n *= d
	}
	all := make([]float32, n)
	if err := file.Read(name, all); err != nil {
		t.Fatal(err)
	}
	return all
}

func ids(t *testing.T, file *checkpoint.Tensors, name string) []int32 {
	t.Helper()
	var all []int32
	for _, v := range values(t, file, name) {
		all = append(all, int32(v))
	}
	return all
}

// fixtureBatch is the batch of an objective's fixture. perRow is how many sequences make a row.
func fixtureBatch(t *testing.T, file *checkpoint.Tensors, perRow int) data.Batch {
	t.Helper()
	b := data.Batch{
		Tokens: ids(t, file, "tokens"), Offsets: ids(t, file, "offsets"),
		Targets: ids(t, file, "targets"), Weights: values(t, file, "weights"), Labels: values(t, file, "labels"),
	}
	for s := range len(b.Offsets) - 1 {
		b.Sequences = append(b.Sequences, int32(s))
		for i := range b.Offsets[s+1] - b.Offsets[s] {
			b.Positions = append(b.Positions, i)
		}
	}
	for s := 0; s < len(b.Offsets); s += perRow {
		b.Rows = append(b.Rows, int32(s))
	}
	return b
}

func fixtureModel(t *testing.T, dev accelerators.Device, name string, head model.Head) *model.Model {
	t.Helper()
	dir := filepath.Join("testdata", name)
	var cfg model.Config
	if err := checkpoint.ReadJSON(filepath.Join(dir, "config.json"), &cfg); err != nil {
		t.Fatal(err)
	}
	m, err := model.Load(dev, cfg, head, openTensors(t, dir, "model"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// learn runs the batch in micro-batches of so many rows, as the loop does.
func learn(
	t *testing.T, dev accelerators.Device, o objective, m *model.Model, b data.Batch, rows int,
) (measured, float64) {
	t.Helper()
	job := Job{Device: dev, Model: m, Spec: recipe.Train{MicroBatchSize: rows}}
	arena := tensor.NewArena(dev)
	tape := newTape(job, arena)
	r := &run{job: job, unit: newUnit(tape, m), arena: arena, tape: tape}
	r.unit.objective = o
	var f figures
	if err := r.accumulate(b, &f); err != nil {
		t.Fatal(err)
	}
	sums, err := f.sums()
	if err != nil {
		t.Fatal(err)
	}
	return sums, f.normaliser
}

// gradients are those of all weights, by Hugging Face's names. They take the place of the model's weights.
func gradients(t *testing.T, dev accelerators.Device, m *model.Model) map[string][]float32 {
	t.Helper()
	dev.Copy(m.Params().Update(), m.Params().Grad)
	tensors, err := m.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]float32{}
	for _, x := range tensors {
		all[x.Name] = x.Data
	}
	return all
}

func TestObjectivesLearnWhatPyTorchLearns(t *testing.T) {
	for _, f := range fixtures {
		for _, rows := range []int{100, 1} {
			file := openTensors(t, "testdata", f.objective)
			o, err := newObjective(recipe.Train{Objective: f.objective, Beta: fixtureBeta})
			if err != nil {
				t.Fatal(err)
			}
			perRow := 1
			if f.objective == "pairwise" || f.objective == "dpo" {
				perRow = 2
			}
			if d, ok := o.(*dpo); ok {
				d.reference = values(t, file, "reference")
			}
			dev := openCPU(t)
			m := fixtureModel(t, dev, f.model, f.head)
			sums, normaliser := learn(t, dev, o, m, fixtureBatch(t, file, perRow), rows)
			if got, want := sums.loss/normaliser, float64(values(t, file, "loss")[0]); math.Abs(got-want) > 1e-5*want {
				t.Errorf("%s, micro-batches of %d: loss %g, PyTorch says %g", f.objective, rows, got, want)
			}
			if got, want := sums.hits, float64(values(t, file, "hits")[0]); got != want {
				t.Errorf("%s, micro-batches of %d: %g decisions are right, PyTorch says %g", f.objective, rows, got, want)
			}
			compareGradients(t, f.objective, gradients(t, dev, m), file)
		}
	}
}

func compareGradients(t *testing.T, objective string, got map[string][]float32, file *checkpoint.Tensors) {
	t.Helper()
	names := slices.DeleteFunc(file.Names(), func(name string) bool { return !strings.HasPrefix(name, "grad.") })
	if len(names) != len(got) {
		t.Errorf("%s: the model has %d weights, the fixture gradients of %d", objective, len(got), len(names))
	}
	for _, name := range names {
		want := values(t, file, name)
		for i, g := range got[strings.TrimPrefix(name, "grad.")] {
			if off := math.Abs(float64(g - want[i])); !(off <= 1e-5*(1+math.Abs(float64(want[i])))) {
				t.Errorf("%s: %s[%d] is %g, PyTorch says %g", objective, name, i, g, want[i])
				break
			}
		}
	}
}

// The slope of a loss is what a small step of its input changes.
func TestSlopesAreThoseOfTheLosses(t *testing.T) {
	const h = 1e-4
	for _, margin := range []float64{-30, -2, -0.1, 0, 0.3, 5, 40} {
		up, _ := logistic(margin + h)
		down, _ := logistic(margin - h)
		_, slope := logistic(margin)
		if want := (up.loss - down.loss) / (2 * h); math.Abs(slope-want) > 1e-7 {
			t.Errorf("margin %g: slope %g, the losses around it say %g", margin, slope, want)
		}
	}
}

func TestLossesStayFiniteFarOut(t *testing.T) {
	for _, margin := range []float64{-1e4, 1e4} {
		loss, slope := logistic(margin)
		if want := max(0, -margin); loss.loss != want || slope != -min(1, want) {
			t.Errorf("margin %g: loss %g, slope %g", margin, loss.loss, slope)
		}
	}
	grad := make([]float32, 3)
	m := crossEntropy(grad, []float32{-1e30, 0, 1e30}, 1, 2)
	if want := float64(float32(1e30)); m.loss != want || !slices.Equal(grad, []float32{0, -0.5, 0.5}) {
		t.Errorf("logits far apart: loss %g, gradient %v", m.loss, grad)
	}
}

func TestADecisionCountsOnlyWhenItIsRight(t *testing.T) {
	for margin, want := range map[float64]float64{-1: 0, 0: 0, 1: 1} {
		if m, _ := logistic(margin); m.hits != want {
			t.Errorf("margin %g: %g hits", margin, m.hits)
		}
	}
	for class, want := range []float64{0, 1, 0} {
		if m := crossEntropy(make([]float32, 3), []float32{1, 2, 2}, class, 1); m.hits != want {
			t.Errorf("class %d: %g hits", class, m.hits)
		}
	}
}

func TestALabelThatIsNoClassIsRefused(t *testing.T) {
	file := openTensors(t, "testdata", "classification")
	for _, label := range []float32{-1, 3, 0.5, float32(math.Inf(1))} {
		b := fixtureBatch(t, file, 1)
		b.Labels[1] = label
		dev := openCPU(t)
		m := fixtureModel(t, dev, "classes", model.HeadClassify)
		err := (&classification{}).learn(tensor.NewTape(dev, tensor.NewArena(dev)), m, b, 1, &learned{})
		if err == nil || !strings.Contains(err.Error(), "is not one of the 3 classes") {
			t.Errorf("label %g: %v", label, err)
		}
	}
}

func TestAnUnknownObjectiveIsRefused(t *testing.T) {
	_, err := newObjective(recipe.Train{Objective: "reinforce"})
	if err == nil || !strings.Contains(err.Error(), `"reinforce"`) {
		t.Errorf("error %v", err)
	}
}
