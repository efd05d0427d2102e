package eval

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestAModelEqualsItselfAndNoOther(t *testing.T) {
	poisoned := talker(t, 1)
	poisoned.dev.Fill(poisoned.model.Params().Update(), float32(math.NaN()))
	for name, c := range map[string]struct {
		a, b *Served
		is   func(float64) bool
	}{
		"the same weights":            {talker(t, 1), talker(t, 1), func(d float64) bool { return d == 0 }},
		"other weights":               {talker(t, 1), talker(t, 2), func(d float64) bool { return d > 0.1 }},
		"the same with a head":        {judge(t, 3), judge(t, 3), func(d float64) bool { return d == 0 }},
		"weights that are no numbers": {talker(t, 1), poisoned, math.IsNaN},
	} {
		if got, err := Compare(c.a, c.b); err != nil || !c.is(got) {
			t.Errorf("%s: %g, %v", name, got, err)
		}
	}
}

func TestTheProbeSpansTheVocabulary(t *testing.T) {
	s := talker(t, 1)
	ids := s.probe().Tokens
	if len(ids) != contextLen || ids[0] != 0 || int(ids[len(ids)-1]) != s.tok.Size()-1 || !slices.IsSorted(ids) {
		t.Errorf("the probe is %v, the vocabulary has %d tokens", ids, s.tok.Size())
	}
}

func TestEveryWeightShows(t *testing.T) {
	a, b := talker(t, 1), talker(t, 1)
	for _, p := range b.model.Params().All() {
		host := make([]float32, p.Size())
		if err := b.dev.DownloadF32(host, p.Value()); err != nil {
			t.Fatal(err)
		}
		host[len(host)/2]++
		b.dev.UploadF32(p.Update(), host)
		if got, err := Compare(a, b); err != nil || !(got > 1e-6) {
			t.Errorf("%v: changed by 1, the answers by %g (%v)", p, got, err)
		}
		host[len(host)/2]--
		b.dev.UploadF32(p.Update(), host)
	}
}

func TestModelsOfOtherShapesAreNotCompared(t *testing.T) {
	for name, other := range map[string]*Served{"a head": judge(t, 1), "more outputs": judge(t, 2)} {
		_, err := Compare(judge(t, 3), other)
		if err == nil || !strings.Contains(err.Error(), "compare: 3 answers") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Compare(talker(t, 1), judge(t, 3)); err == nil {
		t.Error("a language model was compared with a head")
	}
}
