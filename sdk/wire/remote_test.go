package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
)

// modelCall is a host whose model embeds a text as its length. It fails on the text "bad".
func modelCall(calls *int) ModelCall {
	return func(_ context.Context, kind Kind, _ int, request []byte, capacity int) ([]byte, error) {
		*calls++
		f, err := Parse(request)
		if err != nil {
			return nil, err
		}
		texts, err := DecodeEmbed(f)
		if err != nil {
			return nil, err
		}
		vectors := make([][]float64, len(texts))
		for i, s := range texts {
			if s == "bad" {
				return EncodeFailure(new(Builder), errors.New("the model is unwell")), nil
			}
			vectors[i] = []float64{float64(len(s)), 0}
		}
		answer, err := EncodeVectors(new(Builder), kind, vectors)
		if len(answer) > capacity {
			return nil, fmt.Errorf("answer of %d bytes for a capacity of %d", len(answer), capacity)
		}
		return answer, err
	}
}

func TestLongModelRequestsGoInParts(t *testing.T) {
	calls := 0
	m := &remote{info: sdk.ModelInfo{Hidden: 2}, call: modelCall(&calls)}
	texts := make([]string, 9000)
	for i := range texts {
		texts[i] = strings.Repeat("x", i)
	}
	vectors, err := m.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vectors {
		if v[0] != float64(i) {
			t.Fatalf("text %d is embedded as %v", i, v)
		}
	}
	if len(vectors) != len(texts) || calls < 9000*4500/partBytes {
		t.Errorf("%d vectors from %d calls", len(vectors), calls)
	}
}

func TestModelRequestOfNothingAsksNobody(t *testing.T) {
	calls := 0
	vectors, err := (&remote{call: modelCall(&calls)}).Embed(t.Context(), nil)
	if err != nil || len(vectors) != 0 || calls != 0 {
		t.Errorf("%v, %v after %d calls", vectors, err, calls)
	}
}

func TestFailureOfTheModelReachesThePlugin(t *testing.T) {
	calls := 0
	_, err := (&remote{call: modelCall(&calls)}).Embed(t.Context(), []string{"good", "bad"})
	wantError(t, err, "the model is unwell")
}

func TestImplementationMustBeWhatTheManifestSays(t *testing.T) {
	p := sdk.Plugin{
		Manifest: sdk.Manifest{Kinds: []sdk.Kind{sdk.KindReward}},
		New:      func(sdk.Env) (any, error) { return struct{}{}, nil },
	}
	_, err := NewGuest(p, sdk.Env{})
	wantError(t, err, "struct {} is not a reward, which the manifest says")
	p.New = func(sdk.Env) (any, error) { panic("no") }
	_, err = NewGuest(p, sdk.Env{})
	wantError(t, err, "panic: no")
}
