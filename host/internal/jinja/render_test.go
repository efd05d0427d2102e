package jinja

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// golden is what testdata/make_renders.py writes.
type golden struct {
	Conversations map[string]json.RawMessage
	Templates     []goldenTemplate
}

type goldenTemplate struct {
	Name, Source string
	Renders      map[string]goldenRender
}

type goldenRender struct {
	Text  string
	Spans [][2]int
	Error string
}

func readGolden(t testing.TB, path string) (g golden) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g golden) values(t *testing.T, conversation string) *Object {
	t.Helper()
	v, err := FromJSON(g.Conversations[conversation])
	if err != nil {
		t.Fatal(err)
	}
	return v.(*Object)
}

func fixedClock() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC) }

// rendersLike compares a template with transformers in all conversations and returns in how many it is equal.
func (g golden) rendersLike(t *testing.T, want goldenTemplate) (equal int) {
	t.Helper()
	template, parseErr := Parse(want.Name, want.Source)
	for conversation, w := range want.Renders {
		var got Rendered
		err := parseErr
		if template != nil {
			template.Clock = fixedClock
			got, err = template.Render(g.values(t, conversation))
		}
		switch {
		case (err != nil) != (w.Error != ""):
			t.Errorf("%s, %s: error %v, want %q", want.Name, conversation, err, w.Error)
		case got.Text != w.Text:
			t.Errorf("%s, %s:\n got %q\nwant %q", want.Name, conversation, got.Text, w.Text)
		case template != nil && template.Marks() && !sameSpans(got.Generated, w.Spans):
			t.Errorf("%s, %s: spans %v, want %v", want.Name, conversation, got.Generated, w.Spans)
		default:
			equal++
		}
	}
	return equal
}

func sameSpans(got []Span, want [][2]int) bool {
	if len(got) != len(want) {
		return false
	}
	for i, s := range got {
		if s.From != want[i][0] || s.To != want[i][1] {
			return false
		}
	}
	return true
}

// testdata/renders.json is written by testdata/make_renders.py.
func TestTemplatesRenderAsInTransformers(t *testing.T) {
	g := readGolden(t, "testdata/renders.json")
	for _, want := range g.Templates {
		g.rendersLike(t, want)
	}
}
