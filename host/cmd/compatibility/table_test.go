package main

import (
	"os"
	"strings"
	"testing"
)

const logged = `=== RUN   TestA
    a_test.go:3: compatibility: models | qwen2 | logits | 2e-07
    a_test.go:4: compatibility: models | qwen2 | greedy | 2 of 2
    a_test.go:4: compatibility: exports | llama | a reader 1.0 | read
    a_test.go:3: compatibility: models | bert | logits | 1e-07
ok
`

func TestWhatTestsLogBecomesTables(t *testing.T) {
	want := `|  | logits | greedy |
| --- | --- | --- |
| bert | 1e-07 |  |
| qwen2 | 2e-07 | 2 of 2 |
`
	tables := collect(logged)
	if len(tables) != 2 {
		t.Errorf("%d tables, want 2", len(tables))
	}
	if got := tables["models"].markdown(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestATableReplacesTheOneBetweenItsMarkers(t *testing.T) {
	text := "a\n<!-- compatibility:x -->\nold\n<!-- /compatibility:x -->\nb\n"
	got, err := replace([]byte(text), "x", "new\n")
	if want := strings.Replace(text, "old", "new", 1); err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if _, err := replace([]byte(text), "y", "new\n"); err == nil {
		t.Error("a table without a place is no error")
	}
}

func TestThePageHasAPlaceForEveryTable(t *testing.T) {
	text, err := os.ReadFile("../../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"models", "adapters", "tokenizers", "templates", "exports"} {
		if _, err := replace(text, name, ""); err != nil {
			t.Error(err)
		}
	}
}
