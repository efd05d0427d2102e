package eval

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/sdk"
)

// weightsOf is a source of tensors by name.
type weightsOf map[string]model.NamedTensor

func (w weightsOf) Names() []string {
	var names []string
	for name := range w {
		names = append(names, name)
	}
	return names
}

func (w weightsOf) Shape(name string) ([]int, bool) {
	x, ok := w[name]
	return x.Shape, ok
}

func (w weightsOf) Upload(name string, dev accelerators.Memory, dst accelerators.Buffer) error {
	dev.UploadF32(dst, w[name].Data)
	return nil
}

// reciter is a served language model that answers with the given tokens, whatever it is asked. Its blocks do nothing:
// each token of the script has a direction of its own in the embedding, all others share one, and the head reads from
// the last token's direction what follows. No token may be in the script twice, nor end a prompt.
func reciter(t testing.TB, script ...int32) *Served {
	t.Helper()
	dev, tok := openCPU(t), toyTokenizer(t)
	cfg := toyConfig(tok, 1)
	cfg.TieWordEmbeddings = false
	m := newModel(t, dev, cfg, model.HeadLM, 1)
	tensors, err := m.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	weights := weightsOf{}
	for _, x := range tensors {
		if !strings.Contains(x.Name, "norm") {
			clear(x.Data)
		}
		weights[x.Name] = x
	}
	embed, head := weights["model.embed_tokens.weight"].Data, weights["lm_head.weight"].Data
	width := cfg.HiddenSize
	for id := range cfg.VocabSize {
		embed[id*width+slices.Index(script, int32(id))+1] = 1
	}
	for place, id := range script {
		head[int(id)*width+place] = 1
	}
	if err := m.Restore(weights); err != nil {
		t.Fatal(err)
	}
	return serve(t, m, tok, dev)
}

func TestAnswersEndWithTheirTurn(t *testing.T) {
	tok := toyTokenizer(t)
	text := tok.Encode("Be")
	after := tok.Encode("x")[0]
	end, _ := tok.EndOfTurn()
	eos, _ := tok.EOS()
	for name, stop := range map[string]int32{"end of turn": end, "end of text": eos} {
		s := reciter(t, append(slices.Clone(text), stop, after)...)
		got, err := Answer(t.Context(), s, []*data.Record{english, chinese}, 20)
		want := []sdk.Sample{
			{ID: "en-1", Response: "Be", Reference: "A"},
			{ID: "zh-1", Response: "Be", Reference: "B"},
		}
		want[0].History = user("What helps against fever?\nA. rest\nB. running\nC. noise")
		want[1].History = user("发烧怎么办？\nA. 跑步\nB. 休息")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestAnswersHaveAtMostSoManyTokens(t *testing.T) {
	script := toyTokenizer(t).Encode("Be quick")
	s := reciter(t, script...)
	for _, most := range []int{1, 3} {
		got, err := Answer(t.Context(), s, []*data.Record{english}, most)
		if want := s.tok.Decode(script[:most]); err != nil || got[0].Response != want {
			t.Errorf("at most %d tokens: %+v, want response %q (%v)", most, got, want, err)
		}
	}
}

// Neither a long question nor a long answer outgrows the context.
func TestAnswersFitTheContext(t *testing.T) {
	long := *english
	long.Question = strings.Repeat("the patient has fever. ", 40)
	for _, most := range []int{1, contextLen - 1, contextLen, 10 * contextLen} {
		if _, err := Answer(t.Context(), talker(t, 1), []*data.Record{english, &long}, most); err != nil {
			t.Errorf("at most %d tokens: %v", most, err)
		}
	}
}

func TestGenerationShowsEachTokenAndKeepsTheCallersStops(t *testing.T) {
	tok := toyTokenizer(t)
	script := tok.Encode("Be quick")
	s := reciter(t, script...)
	stops := append(make([]int32, 0, 4), script[2])
	seen := make([][]int32, 2)
	prompts := [][]int32{tok.Encode("one\n"), tok.Encode("two more\n")}
	see := func(sequence int, id int32) { seen[sequence] = append(seen[sequence], id) }
	got, err := s.Generate(t.Context(), prompts, model.Generation{MaxTokens: 10, Stop: stops}, see)
	want := [][]int32{script[:3], script[:3]}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +generated):\n%s", err, diff)
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +seen):\n%s", diff)
	}
	if spare := stops[:2][1]; spare != 0 {
		t.Errorf("the caller's list of stops was written to: %v", stops[:2])
	}
}
