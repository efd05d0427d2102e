package tokenizer

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyText draws text in which the cases of the patterns are likely.
func anyText() *rapid.Generator[string] {
	char := rapid.OneOf(
		rapid.SampledFrom([]rune(" \n\r\t'''sStTmMdDrReEvVlLſK09a.<|_")),
		rapid.SampledFrom([]rune("éß中文医٣½Ⅷ\u0085\u00a0\u2028\u3000\u0301\u200d\ufeff\U0001f600\U00020000한")),
		rapid.SampledFrom([]rune("\u1c89\U0001ccf0\U0002ebf0\U00010d40\U00016d40")),
		rapid.Rune(),
	)
	return rapid.StringOf(char)
}

func pieces(cut splitter, text string) (out []string) {
	if text != "" {
		cut(text, func(p string) { out = append(out, p) })
	}
	return out
}

func TestHandwrittenSplittersAgreeWithRegexp(t *testing.T) {
	for pattern, hand := range handwritten {
		find, err := expression(pattern)
		if err != nil {
			t.Fatal(err)
		}
		byRegexp := cutBy(find, isolated)
		rapid.Check(t, func(t *rapid.T) {
			text := anyText().Draw(t, "text")
			if got, want := pieces(hand, text), pieces(byRegexp, text); !slices.Equal(got, want) {
				t.Fatalf("%s\ncuts %q into %q, want %q", pattern, text, got, want)
			}
		})
	}
}

func FuzzSplittersLoseNothing(f *testing.F) {
	f.Add("it's  12345\r\n\n x\u3000y \xff")
	f.Fuzz(func(t *testing.T, text string) {
		for pattern, cut := range handwritten {
			if all := strings.Join(pieces(cut, text), ""); all != text {
				t.Errorf("%s: pieces of %q join to %q", pattern, text, all)
			}
		}
	})
}

func TestPatternsThatTheEnginesReadDifferentlyAreRefused(t *testing.T) {
	for _, pattern := range []string{
		`^a`, `a$`, `\w+`, `\ba`, `[a-z&&[^b]]`, `[[:alpha:]]`, `\p{N}{1,3}+`, `\h`, `\Za`, `\1`,
		`(?m)a`, `(?<name>a)`, `a)`, `[`, `\`,
		`\p{Runic}`, `[\P{L}a]`, `[\D]`, `(a+)+`, `(a|b)*c`, `(?:(a?)b)*`, `((?i:a)|a){2,}`,
	} {
		if _, err := expression(pattern); err == nil {
			t.Errorf("%q is taken", pattern)
		}
	}
	for _, pattern := range []string{
		`(?i:ab)|\s+(?!\S)`, `[^\r\n\p{L}]?+\p{Lu}++`, `[一-龥]+`, `a{2,3}?`, `(?>a|b)\.`, `\p{Han}`, ` ?[!-/:-~]+`,
	} {
		if _, err := expression(pattern); err != nil {
			t.Error(err)
		}
	}
}
