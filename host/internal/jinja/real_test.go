package jinja

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealTemplatesRenderAsInTransformers compares the templates of the directories that CAREBOT_TEMPLATES lists with
// transformers, which CAREBOT_PYTHON runs, and prints a line for each.
func TestRealTemplatesRenderAsInTransformers(t *testing.T) {
	list, python := os.Getenv("CAREBOT_TEMPLATES"), os.Getenv("CAREBOT_PYTHON")
	if list == "" || python == "" {
		t.Skip("CAREBOT_TEMPLATES names no directories or CAREBOT_PYTHON no interpreter")
	}
	out := filepath.Join(t.TempDir(), "renders.json")
	args := []string{"testdata/make_renders.py", out}
	for _, dir := range filepath.SplitList(list) {
		for _, pattern := range []string{"*.jinja", "templates.jsonl", "tokenizer_config.json", "*/tokenizer_config.json"} {
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			args = append(args, found...)
		}
	}
	if said, err := exec.Command(python, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	g := readGolden(t, out)
	whole := 0
	for _, want := range g.Templates {
		equal := g.rendersLike(t, want)
		if equal == len(want.Renders) {
			whole++
		}
		name := want.Name
		for _, dir := range filepath.SplitList(list) {
			name = strings.TrimPrefix(name, dir+string(filepath.Separator))
		}
		t.Logf("compatibility: templates | %s | renders equal | %d of %d", name, equal, len(want.Renders))
	}
	t.Logf("%d of %d templates render equal in all conversations", whole, len(g.Templates))
}
