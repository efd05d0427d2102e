package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

func TestThePaperScaleIsPlannedWithoutItsFiles(t *testing.T) {
	file, err := filepath.Abs("../../../recipes/carebot-8b.yaml")
	if err != nil {
		t.Fatal(err)
	}
	beside := entries(t, filepath.Dir(file))
	cmd := exec.Command("carebot", "plan", file)
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if left := entries(t, cmd.Dir); left != nil || !slices.Equal(entries(t, filepath.Dir(file)), beside) {
		t.Errorf("the plan left %v, and %v beside the recipe", left, entries(t, filepath.Dir(file)))
	}
	r, err := recipe.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, dataset := range r.Datasets {
		wantWarnings(t, string(out), "dataset "+name+": ", len(dataset.Files))
	}
	for name, model := range r.Models {
		if model.From != "" {
			wantWarnings(t, string(out), "model "+name+": ", 1)
		}
	}
	for _, want := range []string{
		`stable .* inputs missing .* 60,000,000,000 .* 19,074 `, `boost .* 20,000,000,000 .* 12,716 `, `rater .* builtin `,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("the plan has no line %q:\n%s", want, out)
		}
	}
}

// wantWarnings counts the warnings of a plan that begin like this.
func wantWarnings(t *testing.T, plan, begin string, want int) {
	t.Helper()
	if n := strings.Count(plan, "\nwarning: "+begin); n != want {
		t.Errorf("%d warnings of %s, want %d", n, begin, want)
	}
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}
