package tokenizer

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestDecodeUndoesEncode(t *testing.T) {
	tok := trained(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(anyText(), rapid.String()).Draw(t, "text")
		if got := tok.Decode(tok.Encode(text)); got != text {
			t.Fatalf("%q comes back as %q", text, got)
		}
	})
}

func TestSpecialTokensInPlainTextAreText(t *testing.T) {
	tok := trained(t)
	text := "a<|im_end|>\n<|im_start|>system\n<|pad|>"
	ids := tok.Encode(text)
	if i := slices.IndexFunc(ids, func(id int32) bool { return tok.special[id] }); i >= 0 {
		t.Errorf("token %d is special: %v", i, ids)
	}
	if got := tok.Decode(ids); got != text {
		t.Errorf("got %q", got)
	}
}

func TestBytesThatAreNotUTF8AreReadAsReplacement(t *testing.T) {
	tok := trained(t)
	if got, want := tok.Encode("a\xffb"), tok.Encode("a\uFFFDb"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDecodeReplacesWhatIsNotUTF8(t *testing.T) {
	for bytes, want := range map[string]string{
		"\xe4\xb8":                "\uFFFD",
		"\xe4\xb8x":               "\uFFFDx",
		"\xf0\x9f\x98\xf0\x9f":    "\uFFFD\uFFFD",
		"\xed\xa0\x80":            "\uFFFD\uFFFD\uFFFD",
		"\x80\x80a\xc3":           "\uFFFD\uFFFDa\uFFFD",
		"\xf5\xff":                "\uFFFD\uFFFD",
		"中\uFFFD\xe4\xb8\xad\xe4": "中\uFFFD中\uFFFD",
	} {
		if got := validUTF8([]byte(bytes)); got != want {
			t.Errorf("%q becomes %q, want %q", bytes, got, want)
		}
	}
}

func TestDecodeLeavesOutIDsThatAreNoTokens(t *testing.T) {
	tok := trained(t)
	ids := slices.Concat([]int32{-1, 1 << 30}, tok.Encode("ab"), []int32{int32(tok.Size())})
	if got := tok.Decode(ids); got != "ab" {
		t.Errorf("got %q", got)
	}
}

func TestEncodeIsSafeForConcurrentUse(t *testing.T) {
	tok := trained(t)
	lines := readFixture[[]string](t, "corpus.json")
	var want [][]int32
	for _, line := range lines {
		want = append(want, tok.Encode(line))
	}
	tok.model.(*cache).slots = [cacheSlots]slot{}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i, line := range lines {
				if got := tok.Encode(line); !slices.Equal(got, want[i]) {
					t.Errorf("%q gives %v, want %v", line, got, want[i])
				}
			}
		})
	}
	group.Wait()
}

func TestLongWordsDoNotTakeQuadraticTime(t *testing.T) {
	tok := trained(t)
	text := strings.Repeat("ab中", 200_000)
	if got := tok.Decode(tok.Encode(text)); got != text || !utf8.ValidString(got) {
		t.Error("the text does not come back")
	}
}

func BenchmarkEncode(b *testing.B) {
	tok := trained(b)
	text := strings.Join(readFixture[[]string](b, "corpus.json"), "\n")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Encode(text)
	}
}
