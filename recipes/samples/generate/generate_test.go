package main

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// built makes the files once for all tests.
var built = sync.OnceValue(build)

func records[T any](t *testing.T, path string) []T {
	t.Helper()
	var out []T
	for _, f := range built() {
		if f.path == path {
			for _, r := range f.records {
				out = append(out, r.(T))
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("no records in %s", path)
	}
	return out
}

func TestEveryExamFactIsStatedOftenInTheCorpus(t *testing.T) {
	const often = 12
	for _, l := range []language{english, chinese} {
		corpus := records[textRecord](t, "medical/"+l.String()+".jsonl.gz")
		for _, q := range records[choiceRecord](t, "exam-"+l.String()+".jsonl") {
			name, value := asked(l, q.Question), q.Options[q.Answer[0]-'A']
			if name == "" {
				t.Fatalf("%s names no entity: %s", q.ID, q.Question)
			}
			n := 0
			for _, d := range corpus {
				if text := strings.ToLower(d.Text); strings.Contains(text, strings.ToLower(name)) {
					n += strings.Count(text, strings.ToLower(value))
				}
			}
			if n < often {
				t.Errorf("%s: %q and %q are stated together %d times, want %d", q.ID, name, value, n, often)
			}
		}
	}
}

// asked is the longest name of an entity in a question.
func asked(l language, question string) string {
	var name string
	for _, e := range medical() {
		if n := e.name(l); len(n) > len(name) && strings.Contains(question, n) {
			name = n
		}
	}
	return name
}

func TestExamOptionsAreDifferentAndOneIsRight(t *testing.T) {
	for _, l := range []language{english, chinese} {
		for _, q := range records[choiceRecord](t, "exam-"+l.String()+".jsonl") {
			sorted := slices.Sorted(slices.Values(q.Options))
			if len(slices.Compact(sorted)) != 4 {
				t.Errorf("%s has options twice: %q", q.ID, q.Options)
			}
			right, ok := entityOf(l, asked(l, q.Question)).find(attribute(q.Topic))
			if !ok || q.Options[q.Answer[0]-'A'] != right.value(l) {
				t.Errorf("%s: the knowledge base does not say %q", q.ID, q.Options[q.Answer[0]-'A'])
			}
		}
	}
}

func entityOf(l language, name string) *entity {
	all := medical()
	return all[slices.IndexFunc(all, func(e *entity) bool { return e.name(l) == name })]
}

func TestKnowledgeBaseIsWhole(t *testing.T) {
	for _, l := range []language{english, chinese} {
		named := map[string]bool{}
		for _, e := range append(medical(), general()...) {
			if len(e.facts) < 4 || len(e.facts) > 6 {
				t.Errorf("%s has %d facts, want 4 to 6", e.en, len(e.facts))
			}
			if e.name(l) == "" || named[e.name(l)] {
				t.Errorf("%s has no %v name of its own", e.en, l)
			}
			named[e.name(l)] = true
			for _, f := range e.facts {
				w := phrases(l).of(f.attr)
				if f.value(l) == "" || len(w.states) == 0 || len(w.held) == 0 {
					t.Errorf("%s, %s: value or wording is missing in %v", e.en, f.attr, l)
				}
			}
		}
	}
}

func TestWordingHoldsNameAndValue(t *testing.T) {
	for _, l := range []language{english, chinese} {
		for _, m := range phrases(l).attributes {
			for a, w := range m {
				for _, s := range slices.Concat(w.states, w.leaflets, w.held) {
					filled := strings.NewReplacer("{S}", "@", "{O}", "@", "{E}", "@").Replace(s)
					if !strings.Contains(filled, "{V}") || !strings.Contains(filled, "@") {
						t.Errorf("%v, %s: %q lacks the entity or the value", l, a, s)
					}
				}
				for _, s := range slices.Concat(w.asks, w.items, w.exams) {
					if !strings.Contains(s, "{E}") {
						t.Errorf("%v, %s: %q does not name the entity", l, a, s)
					}
				}
			}
		}
	}
}

func TestCheckStopsAtALeak(t *testing.T) {
	question := choiceRecord{ID: "q", Language: "en", Question: "A pharmacist hands out a box of aspirin. " +
		"Which condition does the customer probably have?"}
	document := textRecord{ID: "d", Language: "en", Text: "Doctors prescribe aspirin."}
	leaks := map[string][]file{
		"an exam question in a document": {
			{"medical/en.jsonl.gz", []any{textRecord{Text: "So: " + question.Question + " Yes."}}},
			{"exam-en.jsonl", []any{question}}},
		"an exam question in a dialogue": {
			{"dialogues.jsonl.gz", []any{dialogueRecord{Messages: []message{{"user", question.Question}}}}},
			{"exam-en.jsonl", []any{question}}},
		"a held-out document in another case": {
			{"general/en.jsonl.gz", []any{textRecord{Text: strings.ToUpper(document.Text)}}},
			{"heldout/en.jsonl", []any{document}}},
	}
	for name, files := range leaks {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("check let it pass")
				}
			}()
			check(files)
		})
	}
}

func TestFilesAreSmallEnoughToEmbed(t *testing.T) {
	total := 0
	for _, f := range built() {
		content := f.lines()
		if strings.HasSuffix(f.path, ".gz") {
			content = compress(content)
		}
		total += len(content)
		if len(content) > 1<<20 {
			t.Errorf("%s has %d bytes, want 1 MiB at most", f.path, len(content))
		}
	}
	if total > 3<<20 {
		t.Errorf("all files have %d bytes, want 3 MiB at most", total)
	}
}

func TestEachWayOfWritingEarnsItsPoints(t *testing.T) {
	for _, l := range []language{english, chinese} {
		a := &author{newWriter(l, "test"), newLedger(medical(), 4), medicalStyles}
		for range 200 {
			if d := a.article(); d.quality < 4 {
				t.Fatalf("a clean document earns %d points: %s", d.quality, d.text)
			}
			if d := a.mediocre(general()); d.quality < 2 || d.quality > 3 {
				t.Fatalf("a mediocre document earns %d points: %s", d.quality, d.text)
			}
			if d := a.rubbish(); d.quality > 1 {
				t.Fatalf("rubbish earns %d points: %s", d.quality, d.text)
			}
		}
	}
}
