package qualityrules

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/sdk"
)

const goodEnglish = `Iron deficiency is the most common cause of anaemia. It develops when the body loses more iron than
food replaces, and it is found in all ages. Tiredness, pale skin and short breath are typical complaints.

Treatment starts with the cause. Tablets of iron are taken for three months, because the stores have to be
filled as well as the blood. A second blood test shows that the treatment works.
`

const goodChinese = `缺铁是贫血最常见的原因。当身体失去的铁多于从食物中得到的铁时，就会出现缺铁，各个年龄的人都可能发生。常见的表现有乏力、皮肤苍白和气短。

治疗首先要找到原因。铁剂一般服用三个月，因为不仅血液需要铁，体内的储备也要补足。再次验血可以说明治疗是否有效，医生会根据结果决定下一步。
`

func opened(t testing.TB, config string) *scorer {
	t.Helper()
	s, err := open(sdk.Env{Config: []byte(config)})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*scorer)
}

func rate(t testing.TB, s *scorer, docs ...sdk.Document) []sdk.Rating {
	t.Helper()
	ratings, err := s.Score(context.Background(), docs)
	if err != nil {
		t.Fatal(err)
	}
	return ratings
}

func TestGoodTextPasses(t *testing.T) {
	for _, d := range []sdk.Document{
		{Text: goodEnglish, Language: "en"}, {Text: goodChinese, Language: "zh-CN"}, {Text: goodEnglish}, {Text: goodChinese},
	} {
		r := rate(t, opened(t, "{}"), d)[0]
		if r.Status != sdk.OK || r.Scores["pass"] != 1 || r.Detail != "" {
			t.Errorf("%q %.20q: pass %v, %s", d.Language, d.Text, r.Scores["pass"], r.Detail)
		}
	}
}

func TestBadTextMissesItsRule(t *testing.T) {
	for _, c := range []struct{ rule, text, lang string }{
		{"words", "Too short to learn from. It is the end. And that was it.", "en"},
		{"words", "太短了。没有什么可学的。", "zh"},
		{"mean_word_length", strings.ReplaceAll(goodEnglish, " ", ""), "en"},
		{"longest_word", goodEnglish + strings.Repeat("QUJD", 300), "en"},
		{"symbol_ratio", goodEnglish + strings.Repeat("# ", 20), "en"},
		{"bullet_lines", strings.Repeat("- Take the iron with food.\n", 12), "en"},
		{"ellipsis_lines", "Read on...\nRead on…\n" + goodEnglish, "en"},
		{"alpha_words", goodEnglish + strings.Repeat("12 34 | 56 | ", 10), "en"},
		{"stop_words", strings.Repeat("Der Arzt untersucht den Patienten und fragt nach Schmerzen. ", 12), "en"},
		{"stop_words", strings.Repeat("胸片正位。头颅平扫。血压脉搏体温呼吸。", 8), "zh"},
		{"duplicate_line_ratio", goodChinese + strings.Repeat("铁剂\n", 5), "zh"},
		{"duplicate_line_chars", goodEnglish + goodEnglish, "en"},
		{"duplicate_paragraph_chars", goodEnglish + "\n" + goodEnglish, "en"},
		{"top_2_gram", goodEnglish + strings.Repeat("cheap tablets ", 25), "en"},
		{"duplicate_5_gram", goodEnglish + strings.ReplaceAll(goodEnglish, "\n", " "), "en"},
		{"duplicate_10_gram", goodChinese + strings.ReplaceAll(goodChinese, "\n", ""), "zh"},
		{"sentences", strings.ReplaceAll(goodEnglish, ".", ","), "en"},
		{"curly_braces", goodEnglish + "if (x) { return }", "en"},
		{"lorem_ipsum", goodEnglish + "Lorem ipsum dolor sit amet.", "en"},
		{"javascript_lines", goodEnglish + "Please enable JavaScript.", "en"},
		{"policy_lines", goodChinese + "版权所有，隐私政策。", "zh"},
		{"terminal_punctuation_lines", strings.ReplaceAll(goodEnglish, "\n", " ") + "and", "en"},
		{"short_lines", strings.ReplaceAll(goodEnglish, " ", "\n"), "en"},
		{"newline_ratio", strings.ReplaceAll(goodChinese, "，", "\n\n\n\n"), "zh"},
		{"special_chars", goodEnglish + strings.Repeat("►★ ", 40), "en"},
		{"private", goodChinese + "加微信 13812345678。", "zh"},
		{"urls", goodEnglish + strings.Repeat("https://www.example.org ", 12), "en"},
	} {
		r := rate(t, opened(t, "{}"), sdk.Document{Text: c.text, Language: c.lang})[0]
		if r.Scores["pass"] != 0 || !strings.Contains("; "+r.Detail, "; "+c.rule+" ") {
			t.Errorf("%s %s: pass %v, missed: %s", c.rule, c.lang, r.Scores["pass"], r.Detail)
		}
	}
}

func TestValuesAreMeasured(t *testing.T) {
	for _, c := range []struct {
		text string
		want map[string]float64
	}{
		{"Take 2 tablets daily. Do not stop!", map[string]float64{
			"words": 7, "mean_word_length": 26. / 7, "longest_word": 7, "alpha_words": 6. / 7, "sentences": 2, "stop_words": 0,
			"terminal_punctuation_lines": 1, "short_lines": 0, "zh_ratio": 0, "newline_ratio": 0}},
		{"The dose is 3.5 mg (see Fig. 2.)\n\n• of iron…\n", map[string]float64{
			"words": 10, "sentences": 2, "stop_words": 2, "bullet_lines": 0.5, "ellipsis_lines": 0.5, "newline_ratio": 0.2,
			"terminal_punctuation_lines": 0.5, "symbol_ratio": 0.1, "short_lines": 0.5}},
		{"每日2次，每次1片。不能停药！", map[string]float64{
			"words": 12, "mean_word_length": 1, "sentences": 2, "zh_ratio": 1, "stop_words": 1, "alpha_words": 10. / 12}},
		{"服用ACE抑制剂", map[string]float64{"words": 6, "longest_word": 3, "zh_ratio": 5. / 8}},
		{"ab ab ab cd", map[string]float64{"top_2_gram": 1, "duplicate_5_gram": 0}},
		{"a b c d e x a b c d e", map[string]float64{"duplicate_5_gram": 5. / 11, "duplicate_6_gram": 0,
			"top_2_gram": 4. / 11}},
		{"一二三四，五，一二三四", map[string]float64{"top_2_gram": 8. / 9, "top_3_gram": 0}},
		{"one\ntwo\none\n\none", map[string]float64{"duplicate_line_ratio": 0.5, "duplicate_line_chars": 0.5}},
		{"one\n\ntwo\n\none\n", map[string]float64{"duplicate_paragraph_ratio": 1. / 3, "duplicate_paragraph_chars": 1. / 3}},
		{"Cookie policy and terms of\nuse. We use cookies.\nJAVASCRIPT: off", map[string]float64{
			"policy_lines": 2. / 3, "javascript_lines": 1. / 3}},
		{"see www.example.org or http://www.example.org", map[string]float64{"urls": 0.5, "words": 4}},
		{"", map[string]float64{"words": 0, "mean_word_length": 0, "terminal_punctuation_lines": 0, "pass": 0}},
	} {
		got := rate(t, opened(t, "{}"), sdk.Document{Text: c.text})[0].Scores
		for name, want := range c.want {
			if v, measured := got[name]; !measured || math.Abs(v-want) > 1e-12 {
				t.Errorf("%q: %s is %v, want %v", c.text, name, v, want)
			}
		}
	}
}

func TestEveryDeclaredScoreIsGiven(t *testing.T) {
	var declared []string
	for _, s := range manifest.Scores {
		declared = append(declared, s.Name)
	}
	got := rate(t, opened(t, "{}"), sdk.Document{Text: goodEnglish})[0].Scores
	if len(got) != len(declared) {
		t.Errorf("%d scores, %d declared", len(got), len(declared))
	}
	for _, name := range declared {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is declared and not given", name)
		}
	}
}

func TestRatingDoesNotDependOnItsBatch(t *testing.T) {
	docs := []sdk.Document{
		{Text: goodEnglish}, {Text: "…\n\n\xff#"}, {Text: goodChinese}, {Text: goodEnglish + goodEnglish}, {},
	}
	together := rate(t, opened(t, "{}"), docs...)
	for i, d := range docs {
		if diff := cmp.Diff(rate(t, opened(t, "{}"), d)[0], together[i]); diff != "" {
			t.Errorf("document %d alone (-) and in the batch (+):\n%s", i, diff)
		}
	}
}

func TestThresholdsAreConfigurable(t *testing.T) {
	short := sdk.Document{Text: "The cause is found. Treatment starts. That is all.", Language: "en"}
	for config, pass := range map[string]float64{
		`{}`:                                 0,
		`{"english": {"words": {"min": 9}}}`: 1,
		`{"english": {"words": {}}}`:         1,
		`{"chinese": {"words": {"min": 9}}}`: 0,
		`{"english": {"words": {"min": 9}, "stop_words": {"min": 2, "max": 7}}}`:       1,
		`{"english": {"words": {"min": 9}, "sentences": {"max": 2}}, "chinese": null}`: 0,
	} {
		if r := rate(t, opened(t, config), short)[0]; r.Scores["pass"] != pass {
			t.Errorf("%s: pass is %v, want %v: %s", config, r.Scores["pass"], pass, r.Detail)
		}
	}
}

func TestWrongConfigurationIsRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{"english": {"wrods": {"min": 9}}}`:            "english.wrods: no such rule",
		`{"chinese": {"words": {"min": 9, "max": 1}}}`:  "chinese.words: min 9 is above max 1",
		`{"chinese": {"words": {"minimum": 9}}}`:        "minimum",
		`{"english": {"words": {"min": "low"}}}`:        "string",
		`{"english": {"words": {"min": 2e5}}}`:          "", // no upper end is given, so there is none
		`{"english": {"pass": {"min": 1}}}`:             "english.pass: no such rule",
		`{"english": {"b": {}, "a": {}, "words": {}} }`: "english.a: no such rule",
	} {
		_, err := open(sdk.Env{Config: []byte(config)})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want one with %q", config, err, want)
		}
	}
}

func TestScoringStopsWhenTheCallIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := opened(t, "{}").Score(ctx, []sdk.Document{{Text: goodEnglish}}); err == nil {
		t.Error("no error")
	}
}

func BenchmarkScore(b *testing.B) {
	text := goodEnglish + goodChinese
	s := opened(b, "{}")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		rate(b, s, sdk.Document{Text: text})
	}
}
