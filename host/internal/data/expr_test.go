package data

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scored makes records with scores a.x and b.y.
func scored(values ...[2]float64) []*Record {
	var all []*Record
	for _, v := range values {
		all = append(all, &Record{Scores: map[string]float32{"a.x": float32(v[0]), "b.y": float32(v[1])}})
	}
	return all
}

func TestExpressionsKeepRecords(t *testing.T) {
	nan := math.NaN()
	records := append(scored([2]float64{1, 10}, [2]float64{2, nan}, [2]float64{3, 30}, [2]float64{4, 40}), &Record{})
	cases := map[string]string{
		"a.x >= 3":                            "..kk.",
		"a.x>=3 and b.y<40":                   "..k..",
		"a.x == 1 or b.y == 40":               "k..k.",
		"a.x == 1 or a.x == 2 and b.y == 10":  "k....",
		"(a.x == 1 or a.x == 2) and b.y > 1":  "k....",
		"not a.x >= 3":                        "kk..k",
		"not (a.x < 2 or a.x > 3)":            ".kk.k",
		"b.y != 30":                           "k..k.",
		"x > 3.5e0":                           "...k.",
		"3 <= x":                              "..kk.",
		"a.x >= q50(a.x)":                     "..kk.",
		"a.x <= q00(x) or b.y >= q99( b.y ) ": "k..k.",
		"b.y > -1":                            "k.kk.",
		"1 < 2":                               "kkkkk",
	}
	for text, want := range cases {
		e, err := ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		keep, err := e.Bind(records)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got strings.Builder
		for _, r := range records {
			got.WriteByte(".k"[b2i(keep(r))])
		}
		if got.String() != want {
			t.Errorf("%s keeps %s, want %s", text, got.String(), want)
		}
	}
}

func TestNumbersEqualTheScoresTheyAreWrittenFor(t *testing.T) {
	e, err := ParseExpr("x == 0.1 and x <= .1 and x >= 1e-1")
	if err != nil {
		t.Fatal(err)
	}
	records := []*Record{{Scores: map[string]float32{"a.x": 0.1}}}
	if keep, err := e.Bind(records); err != nil || !keep(records[0]) {
		t.Errorf("a score of 0.1 is not 0.1, %v", err)
	}
}

func TestUnknownScoresNameTheNearest(t *testing.T) {
	records := []*Record{{Scores: map[string]float32{"rater.quality": 1, "rules.words": 2, "other.words": 3}}}
	cases := map[string][]string{
		"rater.qualty >= 3": {`"rater.qualty"`, `did you mean "rater.quality"`},
		"words >= 3":        {"can be any of other.words, rules.words"},
		"q05(zzz) >= 3":     {`"zzz"`, "scores: other.words, rater.quality, rules.words"},
	}
	for text, want := range cases {
		e, err := ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Bind(records)
		wantError(t, err, want...)
	}
}

func TestExpressionErrorsNameTheColumn(t *testing.T) {
	cases := map[string]string{
		"":                                  "column 1: want a score",
		"a >= ":                             "column 6: want a score",
		"a 3":                               "column 3: want a comparison",
		"a >= 3 b":                          "column 8: want and, or or the end, found b",
		"(a >= 3":                           "column 8: want ), found the end",
		"a >= 3 and":                        "column 11",
		"a >= §":                            "column 6: '§'",
		"a = 3":                             "column 3: '='",
		"q5(a) > 1":                         "want a comparison",
		strings.Repeat("(", 200):            "nested deeper",
		strings.Repeat("not ", 200):         "nested deeper",
		strings.Repeat("a > 1 and ", 2_000): "longer than 4096",
	}
	for text, want := range cases {
		_, err := ParseExpr(text)
		wantError(t, err, want)
	}
}

func TestNamesAreSortedAndOnce(t *testing.T) {
	e, err := ParseExpr("b.y > 1 and not (a.x < q10(c) or b.y == 2)")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a.x", "b.y", "c"}, e.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestSelections(t *testing.T) {
	source, keep, err := ParseSelection("rated [ quality>=4 and x<1]")
	if err != nil || source != "rated" || keep.String() != "quality>=4 and x<1" {
		t.Errorf("%s, %v, %v", source, keep, err)
	}
	if source, keep, err = ParseSelection("rated"); err != nil || source != "rated" || keep != nil {
		t.Errorf("%s, %v, %v", source, keep, err)
	}
	for _, ref := range []string{"", "[a>1]", "rated[a>1", "rated[]", "rated[a>1]x"} {
		if _, _, err := ParseSelection(ref); err == nil {
			t.Errorf("%q is a selection", ref)
		}
	}
}

func FuzzParseExpr(f *testing.F) {
	seeds := []string{
		"a.b >= 3 and not (c < q05(a.b) or x-y != -1e3)", "((a>1))", "1 == 1", "not not a<.5", "q99(a)>a",
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseExpr(text)
		if err != nil {
			return
		}
		r := &Record{Scores: map[string]float32{}}
		for i, name := range e.Names() {
			r.Scores[name] = float32(i)
		}
		keep, err := e.Bind([]*Record{r})
		if err != nil {
			t.Fatalf("%q does not bind to its own names: %v", text, err)
		}
		again, err := ParseExpr("not (" + e.String() + ")")
		if err != nil && (len(text)+len("not ()") > maxExpr || strings.Contains(err.Error(), "nested deeper")) {
			return
		}
		if err != nil {
			t.Fatalf("%q cannot be put in parentheses: %v", text, err)
		}
		opposite, err := again.Bind([]*Record{r})
		if err != nil || keep(r) == opposite(r) {
			t.Fatalf("%q holds together with its opposite, %v", text, err)
		}
	})
}
