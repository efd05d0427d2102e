package tokenizer

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/sdk"
)

// The files in testdata are written by testdata/fixtures.py with the Hugging Face libraries.

var saveTo = flag.String("save", "", "directory for the tokenizer that testdata/fixtures.py wants")

func readFixture[T any](t testing.TB, name string) T {
	t.Helper()
	var v T
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

var trainOnce = sync.OnceValues(func() (*Tokenizer, error) {
	raw, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		return nil, err
	}
	var lines []string
	if err := json.Unmarshal(raw, &lines); err != nil {
		return nil, err
	}
	return Train(slices.Values(lines), 1000)
})

// trained returns the tokenizer trained on testdata/corpus.json.
func trained(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := trainOnce()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func assertEncodes(t *testing.T, tok *Tokenizer, want [][]int32) {
	t.Helper()
	for i, text := range readFixture[[]string](t, "texts.json") {
		if diff := cmp.Diff(want[i], append([]int32{}, tok.Encode(text)...)); diff != "" {
			t.Errorf("tokens of %q (-Hugging Face, +ours):\n%s", text, diff)
		}
	}
}

func TestTrainedTokenizerEncodesAndChatsLikeTransformers(t *testing.T) {
	want := readFixture[struct {
		Size  int
		Named []int32
		IDs   [][]int32
		Chats []struct {
			Turns    []struct{ Role, Content string }
			Generate bool
			Text     string
			IDs      []int32
			Mask     []int
		}
	}](t, "ours.json")
	tok := trained(t)
	var named []int32
	for _, get := range []func() (int32, bool){tok.BOS, tok.EOS, tok.PAD, tok.EndOfTurn} {
		id, ok := get()
		if !ok {
			t.Error("a special token is missing")
		}
		named = append(named, id)
	}
	if tok.Size() != want.Size || !slices.Equal(named, want.Named) {
		t.Errorf("size %d and special tokens %v, want %d and %v", tok.Size(), named, want.Size, want.Named)
	}
	assertEncodes(t, tok, want.IDs)
	for _, c := range want.Chats {
		var turns []sdk.Turn
		for _, turn := range c.Turns {
			turns = append(turns, sdk.Turn{Role: sdk.Role(turn.Role), Text: turn.Content})
		}
		ids, err := tok.Chat(turns, c.Generate)
		if err != nil {
			t.Fatal(err)
		}
		_, spans, err := tok.Learned(turns, false)
		if err != nil {
			t.Fatal(err)
		}
		mask := make([]int, len(ids))
		for _, s := range spans {
			for i := s.From; i < s.To; i++ {
				mask[i] = 1
			}
		}
		if diff := cmp.Diff(c.IDs, ids); diff != "" {
			t.Errorf("tokens of %q (-transformers, +ours):\n%s", c.Text, diff)
		}
		if diff := cmp.Diff(c.Mask, mask); diff != "" {
			t.Errorf("assistant tokens of %q (-transformers, +ours):\n%s", c.Text, diff)
		}
		if text := tok.DecodeAll(ids); text != c.Text {
			t.Errorf("text %q, want %q", text, c.Text)
		}
	}
}

func TestEveryVariantEncodesAndDecodesLikeHuggingFace(t *testing.T) {
	fixture := readFixture[struct {
		Vocab    map[string]int32
		Merges   []mergeRule
		Variants []struct {
			Name          string
			File          map[string]any
			IDs           [][]int32
			Before, After []int32
			Random        [][]int32
			Decoded       []string
			DecodedAll    []string `json:"decoded_all"`
		}
	}](t, "variants.json")
	for _, v := range fixture.Variants {
		t.Run(v.Name, func(t *testing.T) {
			model := v.File["model"].(map[string]any)
			model["vocab"], model["merges"] = fixture.Vocab, fixture.Merges
			tok := assembled(t, v.File)
			assertEncodes(t, tok, v.IDs)
			before, after := tok.Around()
			if !slices.Equal(before, v.Before) || !slices.Equal(after, v.After) {
				t.Errorf("around a text %v and %v, want %v and %v", before, after, v.Before, v.After)
			}
			for i, ids := range v.Random {
				if got := tok.Decode(ids); got != v.Decoded[i] {
					t.Errorf("decoded %v: %q, want %q", ids, got, v.Decoded[i])
				}
				if got := tok.DecodeAll(ids); got != v.DecodedAll[i] {
					t.Errorf("decoded %v with special tokens: %q, want %q", ids, got, v.DecodedAll[i])
				}
			}
		})
	}
}

func TestGPT2EncodesLikeHuggingFace(t *testing.T) {
	fixture := readFixture[struct {
		File map[string]any
		IDs  [][]int32
	}](t, "gpt2.json")
	assertEncodes(t, assembled(t, fixture.File), fixture.IDs)
}

// assembled makes a tokenizer of a tokenizer.json alone.
func assembled(t *testing.T, file map[string]any) *Tokenizer {
	t.Helper()
	raw, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := assemble(tokenizerJSON(raw))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestClassesOfAllCodePointsAreHuggingFaces(t *testing.T) {
	want := map[rune]class{'\r': newline, '\n': newline}
	raw, err := os.ReadFile("testdata/classes.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]class{`\p{L}`: letter, `\p{N}`: number, `\s`: space}
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		for _, r := range fields[1:] {
			var lo, hi rune
			if _, err := fmt.Sscanf(r, "%x-%x", &lo, &hi); err != nil {
				t.Fatal(err)
			}
			for c := lo; c <= hi; c++ {
				if want[c] != newline {
					want[c] = names[fields[0]]
				}
			}
		}
	}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if got := classOf(r); got != want[r] {
			t.Errorf("%U has class %d, want %d", r, got, want[r])
		}
	}
}

func TestTrainedTokenizerSurvivesSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	if *saveTo != "" {
		dir = *saveTo
	}
	tok := trained(t)
	if err := tok.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != tok.Digest() {
		t.Errorf("digest %s after loading, %s before", again.Digest(), tok.Digest())
	}
	text := "Kerlin says: 37.5 度，好的。"
	if diff := cmp.Diff(tok.Encode(text), again.Encode(text)); diff != "" {
		t.Error(diff)
	}
	if _, ok := again.EndOfTurn(); !ok {
		t.Error("the chat template was lost")
	}
}
