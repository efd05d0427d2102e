package plugin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// prober is an open plugin that tries things.
type prober struct {
	*Plugin
	log *logged
}

// probing opens the prober with a grant, in a folder of its own that is the recipe's.
func probing(t *testing.T, grant recipe.Grant, change ...func(*Spec)) prober {
	t.Helper()
	if !contains().Namespaces {
		t.Skip("NOT TESTED: the kernel does not let this user have namespaces: ", contains())
	}
	s := spec(executableOf(t, "prober"))
	log := new(logged)
	s.Log, s.Dir, s.Workers, s.Plugin.Grant = log.logger(), t.TempDir(), 1, grant
	for _, c := range change {
		c(&s)
	}
	return prober{opened(t, s), log}
}

// try asks for one attempt and returns what the plugin says of it.
func (p prober) try(t *testing.T, what string) string {
	t.Helper()
	ratings, err := p.Score(t.Context(), documents(what))
	if err != nil {
		t.Fatal(err)
	}
	return ratings[0].Detail
}

// wants fails unless the plugin's words about an attempt have a part.
func (p prober) wants(t *testing.T, what, want string) {
	t.Helper()
	if said := p.try(t, what); !strings.Contains(said, want) {
		t.Errorf("%s: %q, want %q in it", what, said, want)
	}
}

// write writes a file for the test.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
