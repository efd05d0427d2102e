package tokenizer

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// slowRules joins by counting all pairs anew each time.
func slowRules(words []countedWord, limit int) []mergeRule {
	rules := []mergeRule{}
	id := map[string]int{}
	for i, b := range alphabetOrder() {
		id[string([]byte{b})] = i
	}
	split := make([][]string, len(words))
	for i, w := range words {
		split[i] = strings.Split(w.text, "")
	}
	for len(rules) < limit {
		counts := map[[2]string]int64{}
		for i, tokens := range split {
			for j := range len(tokens) - 1 {
				counts[[2]string{tokens[j], tokens[j+1]}] += words[i].count
			}
		}
		var best [2]string
		for pair, n := range counts {
			key := func(p [2]string) []int { return []int{id[p[0]], id[p[1]]} }
			if n > counts[best] || n == counts[best] && slices.Compare(key(pair), key(best)) < 0 {
				best = pair
			}
		}
		if counts[best] < fewest {
			break
		}
		rules = append(rules, mergeRule{best[0], best[1]})
		id[best[0]+best[1]] = 256 + len(rules)
		for i, tokens := range split {
			var joined []string
			for j := 0; j < len(tokens); j++ {
				if j+1 < len(tokens) && tokens[j] == best[0] && tokens[j+1] == best[1] {
					joined = append(joined, best[0]+best[1])
					j++
				} else {
					joined = append(joined, tokens[j])
				}
			}
			split[i] = joined
		}
	}
	return rules
}

func TestTrainingAgreesWithCountingAnewAfterEachJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringMatching(`[ab]{1,12}|[a-d]{1,8}|a{1,20}`), 1, 12).Draw(t, "words")
		want := slowRules(countWords(slices.Values(texts)), 30)
		c, err := newCorpus(countWords(slices.Values(texts)))
		if err != nil {
			t.Fatal(err)
		}
		l := newLearner(c)
		for len(l.rules) < 30 && l.step() {
		}
		if diff := cmp.Diff(want, l.rules, cmp.AllowUnexported(mergeRule{})); diff != "" {
			t.Fatalf("rules (-slow, +fast):\n%s", diff)
		}
		if again := slices.Compact(slices.Sorted(slices.Values(l.spelling))); len(again) != len(l.spelling) {
			t.Fatal("two tokens are spelt alike")
		}
	})
}

func TestTrainingDoesNotDependOnTheOrderOfTexts(t *testing.T) {
	lines := readFixture[[]string](t, "corpus.json")
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	shuffled, err := Train(slices.Values(lines), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if shuffled.Digest() != trained(t).Digest() {
		t.Error("the digests differ")
	}
}

func TestTrainingStopsWhenNoPairOccursTwice(t *testing.T) {
	tok, err := Train(slices.Values([]string{"abc abd"}), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(specialTokens) + 256 + 1; tok.Size() != want {
		t.Errorf("size %d, want %d", tok.Size(), want)
	}
}

func TestTrainingWithoutTextKnowsBytes(t *testing.T) {
	tok, err := Train(slices.Values([]string{"", ""}), len(specialTokens)+256)
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Decode(tok.Encode("ab中")); got != "ab中" {
		t.Errorf("got %q", got)
	}
}

func TestTrainingRefusesAVocabularyWithoutRoomForBytes(t *testing.T) {
	for _, size := range []int{-1, 0, 260, vocabLimit + 1} {
		if _, err := Train(slices.Values([]string{"a"}), size); err == nil {
			t.Errorf("a vocabulary of %d is taken", size)
		}
	}
}

func TestTrainedFileListsTokensInTheOrderOfTheirIDs(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(string(trained(t).files.vocabulary[0].content)))
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		if token == "vocab" {
			break
		}
	}
	d.Token()
	for want := 0.0; d.More(); want++ {
		name, _ := d.Token()
		if id, err := d.Token(); id != want {
			t.Fatalf("token %v has id %v, want %v (%v)", name, id, want, err)
		}
	}
}

func BenchmarkTrain(b *testing.B) {
	lines := readFixture[[]string](b, "corpus.json")
	b.SetBytes(int64(len(strings.Join(lines, ""))))
	for b.Loop() {
		if _, err := Train(slices.Values(lines), 2000); err != nil {
			b.Fatal(err)
		}
	}
}
