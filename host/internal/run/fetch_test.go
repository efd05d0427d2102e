package run

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const hubCommit = "0123456789abcdef0123456789abcdef01234567"

// hubOf serves a data set and a model, both org/name, and notes which files were asked for.
func hubOf(t *testing.T, files map[string]string) (address string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/org/name/revision/main") {
			var siblings []map[string]any
			for name, text := range files {
				sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text))
				siblings = append(siblings, map[string]any{
					"rfilename": name, "size": len(text), "blobId": hex.EncodeToString(sum[:]),
				})
			}
			json.NewEncoder(w).Encode(map[string]any{"sha": hubCommit, "siblings": siblings})
			return
		}
		_, name, _ := strings.Cut(r.URL.Path, hubCommit+"/")
		*asked = append(*asked, name)
		w.Write([]byte(files[name]))
	}))
	t.Cleanup(server.Close)
	t.Setenv("HF_HOME", t.TempDir())
	for _, name := range []string{"HF_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_ENDPOINT", server.URL)
	return server.URL, asked
}

const hubRecipe = `
name: hub
datasets: {texts: {from: hf://datasets/org/name, format: text}}
stages: {clean: {kind: curate, from: texts, steps: [dedup: {}]}}
`

func TestWhatIsFetchedIsRunAndLocked(t *testing.T) {
	_, asked := hubOf(t, map[string]string{
		"README.md":   "---\nconfigs: [{config_name: default, data_files: {train: a.jsonl, test: b.jsonl}}]\n---\n",
		"a.jsonl":     `{"text": "one"}`,
		"b.jsonl":     `{"text": "two"}`,
		"evil.pickle": "",
	})
	p := newProject(t, map[string]string{"hub.yaml": hubRecipe})
	err := p.process(t, "hub.yaml").Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "hf://datasets/org/name@main is not in the Hugging Face cache") {
		t.Errorf("before the download: %v", err)
	}
	if err := p.process(t, "hub.yaml").Fetch(t.Context(), 1<<20); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(*asked, "evil.pickle") || slices.Contains(*asked, "b.jsonl") || !slices.Contains(*asked, "a.jsonl") {
		t.Errorf("asked for %q", *asked)
	}
	t.Setenv("HF_ENDPOINT", "")
	if err := p.process(t, "hub.yaml").Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.lockText(t, "hub").Lock.Hub["hf://datasets/org/name@main"]; got != hubCommit {
		t.Errorf("the lock file has the commit %q", got)
	}
}

func TestPicklesAndProgramsAreNotFetched(t *testing.T) {
	address, asked := hubOf(t, map[string]string{
		"config.json": "{}", "model.safetensors": "", "pytorch_model.bin": "", "modeling_x.py": "", "onnx/m.safetensors": "",
	})
	p := newProject(t, map[string]string{"hub.yaml": "name: hub\nhub: " + address +
		"\nmodels: {base: {from: hf://org/name}}\nstages: {out: {kind: export, model: base}}\n"})
	if err := p.process(t, "hub.yaml").Fetch(t.Context(), 1<<20); err != nil {
		t.Fatal(err)
	}
	slices.Sort(*asked)
	if want := []string{"config.json", "model.safetensors"}; !slices.Equal(*asked, want) {
		t.Errorf("asked for %q, want %q", *asked, want)
	}
	hubOf(t, map[string]string{"config.json": "{}", "pytorch_model.bin": ""})
	err := p.process(t, "hub.yaml", "hub=null").Fetch(t.Context(), 1<<20)
	if err == nil || !strings.Contains(err.Error(), "weights in pickles only") {
		t.Errorf("a pickle: %v", err)
	}
}

func TestNothingIsFetchedThatNobodyNamed(t *testing.T) {
	hubOf(t, nil)
	p := newProject(t, map[string]string{"hub.yaml": hubRecipe})
	t.Setenv("HF_ENDPOINT", "")
	if err := p.process(t, "hub.yaml").Fetch(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "no endpoint is named") {
		t.Errorf("without an endpoint: %v", err)
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	if err := p.process(t, "hub.yaml").Fetch(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") {
		t.Errorf("offline: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(p.dir, "runs", "*")); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}
