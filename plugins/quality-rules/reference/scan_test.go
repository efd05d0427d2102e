package reference

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plainGrams counts repeated runs of words the obvious way, as strings.
func plainGrams(words []string, n int) (top, duplicate float64) {
	count, chars, repeated := map[string]int{}, 0, 0
	for _, w := range words {
		chars += len(w)
	}
	if chars == 0 {
		return 0, 0
	}
	size := func(i int) int { return len(strings.Join(words[i:i+n], "")) }
	key := func(i int) string { return strings.Join(words[i:i+n], " ") }
	most, length := 1, 0
	for i := 0; i+n <= len(words); i++ {
		count[key(i)]++
	}
	for i := 0; i+n <= len(words); i++ {
		if c := count[key(i)]; c > most || c == most && c > 1 && size(i) > length {
			most, length = c, size(i)
		}
	}
	before := map[string]bool{}
	for i := 0; i+n <= len(words); {
		if before[key(i)] {
			repeated += size(i)
			i += n
			continue
		}
		before[key(i)] = true
		i++
	}
	return min(1, float64(most*length)/float64(chars)), float64(repeated) / float64(chars)
}

func TestRepetitionAgreesWithPlainCounting(t *testing.T) {
	var s scanner
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "bb", "ccc", "d", "ee"}), 0, 200).Draw(t, "words")
		m := s.measure(strings.Join(words, " "), "en")
		var want measures
		for n := 2; n <= 10; n++ {
			top, duplicate := plainGrams(words, n)
			if n <= 4 {
				want.top[n-2] = top
			} else {
				want.duplicate[n-5] = duplicate
			}
		}
		if diff := cmp.Diff([]any{want.top, want.duplicate}, []any{m.top, m.duplicate}); diff != "" {
			t.Fatalf("plain (-), measured (+):\n%s", diff)
		}
	})
}

func TestTableCountsOverItsGrowth(t *testing.T) {
	var tb table
	for round := range 3 {
		tb.reset(round * 10)
		for i := range 3000 {
			if got := tb.add(uint64(i % 1000)); got != uint32(i/1000+1) {
				t.Fatalf("round %d, item %d: count %d", round, i, got)
			}
		}
	}
}

func TestPrivateNumbersAreFound(t *testing.T) {
	for text, want := range map[string]int{
		"Write to jane.doe@example.org or call.":       1,
		"a@b, @home, x@y.1, see @example.org":          0,
		"加微信13812345678咨询":                             1,
		"电话：010-12345678，0755-1234567":                 2,
		"身份证11010519491231002X。":                       1,
		"身份证110105194912310021。":                       0, // wrong check digit
		"Call (301) 496-4000 or 301-496-4000.":         2,
		"Freephone 1-800-555-1234, 400-123-4567":       0,
		"SSN 123-45-6789":                              1,
		"+86 138 1234 5678 or +1 (301) 496-4000":       2,
		"Born 1949-12-31, dose 3.5 mg, 2024.01.15":     0,
		"ISBN 978-3-16-148410-0, NCT13812345678":       0,
		"pmid 13812345678a, 10.1038/13812345678":       0,
		"123456789012345678901234567890":               0,
		"13812345678":                                  1,
		"12345678901":                                  0,
		"1-2-3-4-5-6-7-8-9-10":                         0,
		"x13812345678":                                 0,
		"名字@例子.中国 and user@mail.example.com, b@c.de, ": 2,
	} {
		if got := emails(text) + numbers(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestLanguageFollowsTheTagThenTheLetters(t *testing.T) {
	for _, c := range []struct {
		tag   string
		ratio float64
		want  language
	}{
		{"zh", 0, chinese}, {"zh-Hant-TW", 0, chinese}, {"LZH", 0, chinese}, {"en", 1, english}, {"de", 1, english},
		{"", 0.3, chinese}, {"", 0.29, english}, {"und", 0.9, chinese},
	} {
		if got := languageOf(c.tag, c.ratio); got != c.want {
			t.Errorf("%q with %v: %v, want %v", c.tag, c.ratio, got, c.want)
		}
	}
}

// Values are finite, shares are shares, and a scanner that has seen other text measures the same as a fresh one.
func FuzzMeasure(f *testing.F) {
	for _, text := range []string{
		goodEnglish, goodChinese, "", "\xff\xfe…...", "1-800-\n\n\n•", "+1(2) 3", "javascript lorem ipsum", "。。！?\" ",
	} {
		f.Add(text, "zh")
	}
	used := opened(f, "{}")
	f.Fuzz(func(t *testing.T, text, tag string) {
		var fresh scanner
		want, got := *fresh.measure(text, tag), *used.scan.measure(text, tag)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(measures{}, repetition{})); diff != "" {
			t.Fatalf("fresh (-), used (+):\n%s", diff)
		}
		for _, r := range rules {
			v := r.value(&got)
			share := strings.HasPrefix(r.summary, "share") || strings.HasPrefix(r.summary, "the same")
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || share && v > 1 {
				t.Errorf("%s is %v", r.name, v)
			}
		}
	})
}
