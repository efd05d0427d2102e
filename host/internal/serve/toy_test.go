package serve

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	_ "github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// toyContext is the context of the models here, in tokens.
const toyContext = 300

var toyTokenizer = sync.OnceValues(func() (*tokenizer.Tokenizer, error) {
	texts := []string{
		"Question: the patient has fever and a cough. Answer: the doctor advises rest.",
		"Question: the patient has a headache. Answer: the doctor advises water and rest.",
		"问题：病人发烧咳嗽。答案：医生建议休息。问题：病人头痛。答案：医生建议喝水休息。",
	}
	return tokenizer.Train(slices.Values(texts), 300)
})

func openCPU(t testing.TB) accelerators.Device {
	t.Helper()
	dev, _, err := accelerators.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dev.Close(); err != nil {
			t.Error(err)
		}
	})
	return dev
}

// toys are two language models and a head with two outputs, all with random weights, on one device.
func toys(t testing.TB) []Model {
	t.Helper()
	tok, err := toyTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	dev, lock := openCPU(t), new(sync.Mutex)
	var all []Model
	for i, name := range []string{"toy", "other", "rater"} {
		head, outputs := model.HeadLM, 1
		if name == "rater" {
			head, outputs = model.HeadClassify, 2
		}
		shape := recipe.Model{Arch: model.Llama, Layers: 2, Hidden: 32, Heads: 4, KVHeads: 2, Context: toyContext,
			RopeTheta: 1e4, Outputs: outputs}
		cfg := model.ConfigFromRecipe(shape, tok.Size(), model.Special{PAD: 0, BOS: 1, EOS: 2})
		cfg.InitializerRange = 0.2 // so that answers vary
		m, err := model.New(dev, cfg, head, uint64(i), model.Frozen())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		served := eval.Serve(name, m, tok, dev, lock)
		t.Cleanup(served.Close)
		all = append(all, Model{name, served})
	}
	return all
}

// A site is a server that listens.
type site struct {
	*Server
	url string
	t   testing.TB
}

func newSite(t testing.TB, change func(*Options)) *site {
	t.Helper()
	return siteOf(t, toys(t), change)
}

func siteOf(t testing.TB, models []Model, change func(*Options)) *site {
	t.Helper()
	o := Options{Cache: 8 << 20, Queue: 100, Timeout: time.Minute, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	s, err := New(models, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h := httptest.NewUnstartedServer(nil)
	h.Config.Handler = s.Handler(h.Listener.Addr().(*net.TCPAddr))
	h.Start()
	t.Cleanup(h.Close)
	return &site{s, h.URL, t}
}

// post sends a JSON value and returns status and body.
func (s *site) post(path string, body any) (int, []byte) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(http.MethodPost, path, raw, nil)
}

func (s *site) send(method, path string, body []byte, change func(*http.Request)) (int, []byte) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if change != nil {
		change(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, answer
}

// want posts a request that must succeed and reads the answer.
func want[T any](s *site, path string, body any) T {
	s.t.Helper()
	status, raw := s.post(path, body)
	var v T
	if status != http.StatusOK {
		s.t.Fatalf("%s: status %d: %s", path, status, raw)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		s.t.Fatalf("%s: %v: %s", path, err, raw)
	}
	return v
}

type object = map[string]any

func question(text string) []object { return []object{{"role": "user", "content": text}} }
