package plugin_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/author"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	qualityrules "github.com/carebot-llm/carebot/plugins/quality-rules"
	"github.com/carebot-llm/carebot/plugins/quality-rules/reference"
	"github.com/carebot-llm/carebot/recipes/samples"
	"github.com/carebot-llm/carebot/sdk"
)

// The plugin quality-rules: the module that ships, and the plain Go that it is held to.
const (
	rulesFolder = "../../../plugins/quality-rules"
	rulesModule = "quality-rules"
	rulesGo     = "test-rules"
)

func init() {
	plugin.RegisterModule(rulesModule, qualityrules.Module)
	plain := reference.Plugin
	plain.Manifest.Name = rulesGo
	sdk.Register(plain)
}

func rulesSpec(use string, with map[string]any) plugin.Spec {
	return plugin.Spec{
		Name: "rules", CacheDir: plugin.BuiltDir(), Workers: 1, Plugin: recipe.Plugin{Use: use, With: with},
	}
}

// bothRules runs a test of the module and of the reference.
func bothRules(t *testing.T, test func(t *testing.T, use string)) {
	for _, use := range []string{rulesModule, rulesGo} {
		t.Run(use, func(t *testing.T) { test(t, use) })
	}
}

func rate(t testing.TB, p *plugin.Plugin, docs ...sdk.Document) []sdk.Rating {
	t.Helper()
	ratings, err := p.Score(t.Context(), docs)
	if err != nil {
		t.Fatal(err)
	}
	return ratings
}

// TestRulesModuleIsBuiltFromItsSource builds the module anew: the bytes are the same on every machine with the same
// compiler.
func TestRulesModuleIsBuiltFromItsSource(t *testing.T) {
	see(t, rulesFolder)
	built, err := os.ReadFile(buildFolder(t, rulesFolder))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(built, qualityrules.Module) {
		t.Error("the module is not what its source gives: go generate ./plugins/quality-rules")
	}
	if most := 100 << 10; len(built) > most {
		t.Errorf("the module has %d bytes, more than %d", len(built), most)
	}
}

func TestRegisteredModuleIsFoundByItsName(t *testing.T) {
	info, err := plugin.Inspect(t.Context(), recipe.Plugin{Use: rulesModule}, "")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(qualityrules.Module)
	if info.Transport != plugin.TransportWasm || info.Digest != hex.EncodeToString(sum[:]) || info.Path != "" {
		t.Errorf("%s with digest %s at %q", info.Transport, info.Digest, info.Path)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name is given twice")
		}
	}()
	plugin.RegisterModule(rulesModule, qualityrules.Module)
}

func TestRulesAnswerTheirCases(t *testing.T) {
	cases, err := author.ReadCases(filepath.Join(rulesFolder, "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	bothRules(t, func(t *testing.T, use string) {
		failures, err := author.Check(t.Context(), rulesSpec(use, nil), cases)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range failures {
			t.Error(f)
		}
	})
}

const goodEnglish = `Iron deficiency is the most common cause of anaemia. It develops when the body loses more iron than
food replaces, and it is found in all ages. Tiredness, pale skin and short breath are typical complaints.

Treatment starts with the cause. Tablets of iron are taken for three months, because the stores have to be
filled as well as the blood. A second blood test shows that the treatment works.
`

const goodChinese = `缺铁是贫血最常见的原因。当身体失去的铁多于从食物中得到的铁时，就会出现缺铁，各个年龄的人都可能发生。常见的表现有乏力、皮肤苍白和气短。

治疗首先要找到原因。铁剂一般服用三个月，因为不仅血液需要铁，体内的储备也要补足。再次验血可以说明治疗是否有效，医生会根据结果决定下一步。
`

// spoiled are texts that miss one rule at least.
var spoiled = []struct{ rule, text, lang string }{
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
}

func TestRulesMissWhatIsWrong(t *testing.T) {
	bothRules(t, func(t *testing.T, use string) {
		p := open(t, rulesSpec(use, nil))
		for _, c := range spoiled {
			r := rate(t, p, sdk.Document{Text: c.text, Language: c.lang})[0]
			if r.Scores["pass"] != 0 || !strings.Contains("; "+r.Detail, "; "+c.rule+" ") {
				t.Errorf("%s %s: pass %v, missed: %s", c.rule, c.lang, r.Scores["pass"], r.Detail)
			}
		}
	})
}

func TestRulesGiveEveryDeclaredScore(t *testing.T) {
	bothRules(t, func(t *testing.T, use string) {
		p := open(t, rulesSpec(use, nil))
		scores := rate(t, p, sdk.Document{Text: goodEnglish})[0].Scores
		for _, s := range p.Manifest().Scores {
			if _, ok := scores[s.Name]; !ok {
				t.Errorf("%s is declared and not given", s.Name)
			}
		}
		if len(scores) != len(p.Manifest().Scores) {
			t.Errorf("%d scores, %d declared", len(scores), len(p.Manifest().Scores))
		}
	})
}

func TestRulesDoNotDependOnTheBatch(t *testing.T) {
	docs := []sdk.Document{
		{Text: goodEnglish}, {Text: "…\n\n\xff#"}, {Text: goodChinese}, {Text: goodEnglish + goodEnglish}, {},
	}
	bothRules(t, func(t *testing.T, use string) {
		together := rate(t, open(t, rulesSpec(use, nil)), docs...)
		for i, d := range docs {
			if diff := cmp.Diff(rate(t, open(t, rulesSpec(use, nil)), d)[0], together[i]); diff != "" {
				t.Errorf("document %d alone (-) and in the batch (+):\n%s", i, diff)
			}
		}
	})
}

func TestRulesRefuseWrongThresholds(t *testing.T) {
	rule := func(name string, threshold any) map[string]any { return map[string]any{name: threshold} }
	for _, c := range []struct {
		language string
		with     map[string]any
		want     string
	}{
		{"english", rule("wrods", rule("min", 9)), "english.wrods: no such rule (there are words, mean_word_length, "},
		{"english", rule("pass", rule("min", 1)), "english.pass: no such rule"},
		{"english", map[string]any{"b": rule("min", 1), "a": rule("min", 1), "words": rule("min", 1)}, "english.a: no such"},
		{"chinese", rule("words", map[string]any{"min": 9.5, "max": 1}), "chinese.words: min 9.5 is above max 1"},
		{"chinese", rule("words", rule("minimum", 9)), "chinese.words: a threshold has min and max, not minimum"},
		{"english", rule("words", rule("min", "low")), `english.words.min: must be a number, is "low"`},
		{"english", rule("words", rule("max", nil)), "english.words.max: must be a number, is null"},
		{"english", rule("words", 20), "english.words: a threshold is {min: ..., max: ...}, not 20"},
		{"english", rule("words", rule("min", 2e5)), ""}, // no upper end is given, so there is none
	} {
		bothRules(t, func(t *testing.T, use string) {
			p, err := plugin.Open(t.Context(), rulesSpec(use, map[string]any{c.language: c.with}))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v: error %v, want one with %q", c.with, err, c.want)
			}
			if err == nil {
				_ = p.Close()
			}
		})
	}
}

// twoRules are the module and the reference, opened on the same thresholds.
type twoRules struct{ module, plain *plugin.Plugin }

func openRules(t testing.TB, with map[string]any) twoRules {
	t.Helper()
	return twoRules{open(t, rulesSpec(rulesModule, with)), open(t, rulesSpec(rulesGo, with))}
}

// compare fails unless both rate the documents the same, to the last bit.
func (r twoRules) compare(t testing.TB, docs ...sdk.Document) {
	t.Helper()
	want, got := rate(t, r.plain, docs...), rate(t, r.module, docs...)
	for i := range want {
		if diff := cmp.Diff(want[i], got[i], cmp.Comparer(sameBits)); diff != "" {
			t.Errorf("%q in %q: reference (-), module (+):\n%s", docs[i].Text, docs[i].Language, diff)
		}
	}
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// sampleDocuments are the texts of the embedded sample data.
func sampleDocuments(t testing.TB) []sdk.Document {
	t.Helper()
	var docs []sdk.Document
	err := fs.WalkDir(samples.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := samples.FS.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in := io.Reader(f)
		if strings.HasSuffix(path, ".gz") {
			if in, err = gzip.NewReader(f); err != nil {
				return err
			}
		}
		for lines := bufio.NewReader(in); ; {
			line, err := lines.ReadString('\n')
			if errors.Is(err, io.EOF) {
				return nil
			}
			doc := sdk.Document{Text: line} // a line that is no document is text as well
			if err == nil {
				var record struct{ Text, Language string }
				if err = json.Unmarshal([]byte(line), &record); record.Text != "" {
					doc.Text, doc.Language = record.Text, record.Language
				}
			}
			if err != nil {
				return err
			}
			docs = append(docs, doc)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func TestRulesModuleRatesTheSampleDataAsGoDoes(t *testing.T) {
	docs := sampleDocuments(t)
	openRules(t, nil).compare(t, docs...)
	if len(docs) < 1000 {
		t.Errorf("only %d documents", len(docs))
	}
}

func TestRulesModuleKnowsEveryCharacter(t *testing.T) {
	var docs []sdk.Document
	for first := rune(0); first <= 0x10FFFF; first += 16 {
		var text strings.Builder
		for r := first; r < first+16; r++ {
			text.WriteString("a" + string(r) + "b. " + string(r) + "\n")
		}
		docs = append(docs, sdk.Document{Text: text.String()})
	}
	openRules(t, nil).compare(t, docs...)
}

// pieces are what random texts are made of.
var pieces = strings.Split("the |of |iron |. |.\n|...|…|\n|\n\n| |\t|。|！|，|的|铁剂|了解|々|〇|\U00020000|#|{|@|a@b.org |www.|http://|"+
	"• |- |— |1|2 |138|-|(301) 496-4000|13812345678|+86 138 1234 5678|x|X|lorem ipsum |JavaScript |cookie policy |隐私政策|"+
	"”|\"|)|】|é|É|ß|\u00a0|\u3000|\u2028|\xff|\xe4\xb8|\xc2|\ufffd|٣|½|abcdefghij |1.5 |3e4 ", "|")

func randomText(r *rand.Rand) string {
	var text strings.Builder
	few := pieces[r.IntN(len(pieces)):]
	for range r.IntN(400) {
		from := pieces
		if r.IntN(3) > 0 {
			from = few
		}
		text.WriteString(from[r.IntN(len(from))])
	}
	return text.String()
}

func TestRulesModuleRatesRandomTextAsGoDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var docs []sdk.Document
	for range 3000 {
		language := []string{"", "en", "zh", "ZH-Hant", "und", "de", "yue-HK", "zhx", "long", "-zh"}[r.IntN(10)]
		docs = append(docs, sdk.Document{Text: randomText(r), Language: language})
	}
	openRules(t, nil).compare(t, docs...)
}

// TestRulesModuleWritesNumbersAsGoDoes goes by the thresholds that are missed.
func TestRulesModuleWritesNumbersAsGoDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	values := []float64{0, math.Copysign(0, -1), 0.5, 9999.5, 99995, 12345, 12355, 0.00012345, 0.000099995, 1e-5, 1e300, 5e-324,
		math.MaxFloat64, 1, 10, 100, 1000, 10000, 100000, 0.1, 0.0625, 0.03125, 123456789}
	for range 50 {
		values = append(values, math.Exp(40*(r.Float64()-0.5)), float64(r.IntN(1e6))/16)
	}
	for _, v := range values {
		below := map[string]any{"words": map[string]any{"max": -1 - v}, "longest_word": map[string]any{"min": 40 + v}}
		openRules(t, map[string]any{"english": below}).compare(t, sdk.Document{Text: goodEnglish, Language: "en"})
	}
}

func FuzzRules(f *testing.F) {
	for _, c := range spoiled {
		f.Add(c.text, c.lang)
	}
	for _, text := range []string{goodEnglish, goodChinese, "", "\xff\xfe…...", "1-800-\n\n\n•", "+1(2) 3", "。。！?\" ", ". . ."} {
		f.Add(text, "")
	}
	both := openRules(f, nil)
	f.Fuzz(func(t *testing.T, text, language string) {
		both.compare(t, sdk.Document{Text: text, Language: language})
	})
}
