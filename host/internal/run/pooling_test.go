package run

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// testdata/make_sentences.py wrote the directory, with modules of its version's names. Exported, it says the same.
func TestEmbeddingsAreThoseOfSentenceTransformers(t *testing.T) {
	raw, err := os.ReadFile("testdata/sentences/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Texts      []string
		Embeddings [][]float64
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	p := newProject(t, map[string]string{"out.yaml": "name: out\nmodels: {m: {from: " + absolute(t, "testdata/sentences") +
		"}}\nstages: {out: {kind: export, model: m}}\n"})
	p.run(t, "out.yaml")
	exported := filepath.Join(p.dir, "runs/out/out/model")
	for _, dir := range []string{"testdata/sentences", exported} {
		models, closeAll, err := OpenModels([]string{dir}, "cpu", false)
		if err != nil {
			t.Fatal(err)
		}
		got, err := models[0].Embed(t.Context(), want.Texts)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range want.Embeddings {
			for j, v := range row {
				if math.Abs(got[i][j]-v) > 1e-5 {
					t.Errorf("%s: number %d of text %d is %v, want %v", dir, j, i, got[i][j], v)
				}
			}
		}
		if err := closeAll(); err != nil {
			t.Error(err)
		}
	}
	if got, want := tensorNames(t, exported), tensorNames(t, "testdata/sentences"); !slices.Equal(got, want) {
		t.Errorf("%v were exported of %v", got, want)
	}
}

func tensorNames(t *testing.T, dir string) []string {
	t.Helper()
	x, err := checkpoint.OpenTensors(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	return x.Names()
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// pooled is a directory whose modules.json and 1_Pooling/config.json say so.
func pooled(t *testing.T, modules, pooling string) string {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "1_Pooling"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{modulesFile: modules, "1_Pooling/config.json": pooling} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	oldModules = `[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
		{"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
		{"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]`
	newModules = `[{"path": "1_Pooling", "type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling"}]`
	oldCLS     = `{"word_embedding_dimension": 8, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}`
)

func TestPoolingIsReadAsSentenceTransformersWritesIt(t *testing.T) {
	for _, c := range []struct {
		modules, pooling string
		want             model.Pooling
	}{
		{oldModules, oldCLS, model.Pooling{Mode: model.PoolCLS, Normalize: true}},
		{newModules, `{"embedding_dimension": 8, "pooling_mode": "lasttoken"}`, model.Pooling{Mode: model.PoolLast}},
		{newModules, `{"pooling_mode_mean_tokens": true}`, model.Pooling{Mode: model.PoolMean}},
	} {
		got, err := readPooling(pooled(t, c.modules, c.pooling))
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v, want %v", c.pooling, got, err, c.want)
		}
	}
	if got, err := readPooling(t.TempDir()); err != nil || got != (model.Pooling{}) {
		t.Errorf("a directory that says nothing: %v, %v", got, err)
	}
}

func TestPoolingThatIsNotComputedIsRefused(t *testing.T) {
	for _, c := range []struct{ modules, pooling, want string }{
		{newModules, `{"pooling_mode": "max"}`, `pooling by "max" is not supported`},
		{newModules, `{"pooling_mode": ["cls", "mean"]}`, `pooling by "" is not supported`},
		{newModules, `{"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true}`, `pooling by "cls+max"`},
		{`[{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]`, "{}", "module Dense is not supported"},
		{`[{"path": "../x", "type": "models.Pooling"}]`, "{}", `path "../x" leads out of the folder`},
		{`{}`, "{}", modulesFile},
	} {
		dir := pooled(t, c.modules, c.pooling)
		if _, err := readPooling(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, want %s", c.modules, c.pooling, err, c.want)
		}
	}
}

func TestPoolingIsWrittenAsItIsRead(t *testing.T) {
	for _, want := range []model.Pooling{{}, {Mode: model.PoolCLS}, {Mode: model.PoolLast, Normalize: true}, {Normalize: true}} {
		dir := t.TempDir()
		if err := writePooling(dir, want, 8); err != nil {
			t.Fatal(err)
		}
		if got, err := readPooling(dir); err != nil || got != want {
			t.Errorf("%v was written, %v read, %v", want, got, err)
		}
	}
}
