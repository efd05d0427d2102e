package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/gguf"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// readExports are the exports that are read by others, and how far the log-probabilities of the next token may be off
// those of our own reading of the same file; those of the unquantised model are off by about 0.005 (F16), 0.05 (BF16),
// 0.25 (Q8_0) and 1 to 2.5 (Q4_K). llama.cpp rounds what it multiplies 16-bit weights by to 16 bits too, what it
// multiplies quantised ones by to 8, and looks GELU up in a table of 16 bits: where weights have fewer than 32 bits, only
// the distance is bounded. All others must answer with the same tokens.
var readExports = []struct {
	stage string
	most  float64
	same  bool
}{
	{"safetensors-f32", 1e-4, true}, {"safetensors-bf16", 1e-4, true}, {"safetensors-f16", 1e-4, true},
	{"merged", 1e-4, true}, {"adapter", 1e-4, true},
	{"gguf-f32", 5e-3, true}, {"gguf-bf16", 0.1, false}, {"gguf-f16", 0.02, false},
	{"gguf-q8_0", 0.3, false}, {"gguf-q4_k", 0.4, false},
}

// A reading is what a reader makes of an exported model, as testdata/readers.py writes it.
type reading struct {
	Reader, Path string
	Answers      []readAnswer
	Digests      map[string]string // SHA-256 of the values of each tensor
}

type readAnswer struct {
	Prompt  []int32
	Chances []float64 // log-probabilities of the token behind the prompt
	Answer  []int32   // likeliest tokens
}

var readerPrompts = []string{
	"The heart pumps blood", "  two spaces,\nand 12345 lines", "<|im_start|>user\nWhat?<|im_end|>\n", "心臟 und Lunge",
}

// Exports are loaded and continued by transformers, peft and llama.cpp. CAREBOT_PYTHON names an interpreter that has them.
func TestReadersThatAreNotOursAnswerTheSame(t *testing.T) {
	python := os.Getenv("CAREBOT_PYTHON")
	if python == "" {
		t.Skip("CAREBOT_PYTHON names no Python with transformers, peft, gguf and llama-cpp-python: exports are not read by others")
	}
	for _, name := range slices.Sorted(maps.Keys(readableModels)) {
		keys := readableModels[name]
		t.Run(name, func(t *testing.T) {
			base := filepath.Join(t.TempDir(), name)
			writeReadable(t, base, keys)
			p := exportReadable(t, base)
			readings := runReaders(t, python, p)
			for _, r := range readExports {
				want := ownAnswers(t, p, r.stage)
				for _, got := range readings[p.exported(t, r.stage)] {
					found := got.compare(t, want, r.most, r.same)
					t.Logf("compatibility: exports | %s in %s | %s | %s", r.stage, got.Reader, name, found)
				}
			}
		})
	}
}

// compare holds what a reader makes of an export beside what it should be, and says in a few words what it found.
func (r reading) compare(t *testing.T, want []readAnswer, bound float64, same bool) string {
	t.Helper()
	if r.Digests != nil {
		return r.equalTensors(t)
	}
	equal, most := compareAnswers(r.Answers, want)
	if !(most <= bound) || same && equal != len(want) {
		t.Errorf("%s in %s: %d of %d answers are the same, log-probabilities differ by %g",
			filepath.Base(r.Path), r.Reader, equal, len(want), most)
	}
	return fmt.Sprintf("%d of %d, %.0e", equal, len(want), most)
}

// exported is the directory or file that an export stage made.
func (p *project) exported(t *testing.T, stage string) string {
	t.Helper()
	return p.summary(t, "out", stage).Export.Dir
}

// runReaders lets all readers answer, and returns what they say of each path.
func runReaders(t *testing.T, python string, p *project) map[string][]reading {
	t.Helper()
	prompts, err := json.Marshal(readerPrompts)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"testdata/readers.py"}
	for _, r := range readExports {
		args = append(args, p.exported(t, r.stage))
	}
	cmd := exec.Command(python, args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(prompts), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	all := map[string][]reading{}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `{"reader"`) {
			continue
		}
		var r reading
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		all[r.Path] = append(all[r.Path], r)
	}
	return all
}

// ownAnswers are ours to what was exported, read back.
func ownAnswers(t *testing.T, p *project, stage string) []readAnswer {
	t.Helper()
	path := p.exported(t, stage)
	if !strings.HasSuffix(path, ".gguf") {
		m, err := OpenModel(path, "cpu")
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		return answersOf(t, &m.served)
	}
	process := p.process(t, "export.yaml")
	if _, err := process.openDevice(); err != nil {
		t.Fatal(err)
	}
	base, err := process.serve("base", false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.close()
	m, err := process.openGGUF(base, path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	return answersOf(t, m)
}

// answersOf continues the prompts greedily.
func answersOf(t *testing.T, m *served) []readAnswer {
	t.Helper()
	all := make([]readAnswer, len(readerPrompts))
	for i, text := range readerPrompts {
		prompt := m.tok.EncodeAll(text)
		e, err := m.model.NewEngine(8)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = readAnswer{Prompt: prompt, Chances: make([]float64, m.tok.Size())}
		vocab := len(all[i].Chances)
		err = e.Add(&model.Sequence{Prompt: prompt, MaxTokens: 12, Stop: []int32{}, LogProbs: true, Top: vocab, Each: func(next model.Token) bool {
			for _, likely := range next.Top {
				if len(all[i].Answer) == 0 {
					all[i].Chances[likely.ID] = likely.LogProb
				}
			}
			all[i].Answer = append(all[i].Answer, next.ID)
			return true
		}})
		for err == nil && !e.Idle() {
			err = e.Step()
		}
		if e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// compareAnswers counts the answers that have the same tokens, and says how far the log-probabilities are off.
func compareAnswers(got, want []readAnswer) (same int, most float64) {
	for i, w := range want {
		if i >= len(got) || !slices.Equal(got[i].Prompt, w.Prompt) || len(got[i].Chances) != len(w.Chances) {
			return same, math.Inf(1)
		}
		if slices.Equal(got[i].Answer, w.Answer) {
			same++
		}
		for id, chance := range w.Chances {
			most = max(most, math.Abs(got[i].Chances[id]-chance))
		}
	}
	return same, most
}

// equalTensors says how many tensors have the values that our own reader gives them.
func (r reading) equalTensors(t *testing.T) string {
	t.Helper()
	f, err := gguf.Open(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	equal := 0
	for _, name := range f.Names() {
		shape, _ := f.Shape(name)
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		if err := f.Read(name, values); err != nil {
			t.Fatal(err)
		}
		raw, err := binary.Append(nil, binary.LittleEndian, values)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) == r.Digests[name] {
			equal++
		} else {
			t.Errorf("%s reads other values in tensor %s", r.Reader, name)
		}
	}
	if len(r.Digests) != len(f.Names()) {
		t.Errorf("%s reads %d tensors of %d", r.Reader, len(r.Digests), len(f.Names()))
	}
	return fmt.Sprintf("%d of %d tensors", equal, len(r.Digests))
}
