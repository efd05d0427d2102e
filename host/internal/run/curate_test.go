package run

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/sdk"
)

// curated is what a curate stage left and what it took out.
type curated struct {
	records              []*data.Record
	dropped, quarantined []drop
	summary              *Summary
}

// curate runs a curate stage with these steps over lines in a format.
func curate(t *testing.T, format, steps string, lines ...string) (curated, error) {
	t.Helper()
	p := newProject(t, map[string]string{
		"lines.jsonl": strings.Join(lines, "\n"),
		"curate.yaml": fmt.Sprintf(`name: curate
datasets: {lines: {files: [lines.jsonl], format: %s, language: en}}
plugins: {judge: {use: test-judge, limits: {faults: 2, batch: 2}}}
stages: {clean: {kind: curate, from: lines, steps: [%s]}}
`, format, steps)})
	if err := p.process(t, "curate.yaml").Run(t.Context()); err != nil {
		return curated{}, err
	}
	dir := filepath.Join(p.dir, "runs", "curate", "clean")
	records, err := data.OpenDataset(filepath.Join(dir, "dataset"))
	if err != nil {
		t.Fatal(err)
	}
	c := curated{records, jsonLines[drop](t, filepath.Join(dir, "dropped.jsonl")),
		jsonLines[drop](t, filepath.Join(dir, "quarantine.jsonl")), p.summary(t, "curate", "clean")}
	c.check(t, len(lines))
	return c, nil
}

// check holds what is true of every curate stage: nothing is lost, nothing is there twice.
func (c curated) check(t *testing.T, in int) {
	t.Helper()
	s := c.summary
	if s.In != int64(in) || s.Out != int64(len(c.records)) || s.Dropped != int64(len(c.dropped)) ||
		s.Quarantined != int64(len(c.quarantined)) || s.In != s.Out+s.Dropped+s.Quarantined {
		t.Errorf("%d records in; the summary says %d in, %d out, %d dropped, %d quarantined; there are %d, %d and %d",
			in, s.In, s.Out, s.Dropped, s.Quarantined, len(c.records), len(c.dropped), len(c.quarantined))
	}
	var places []int
	for _, r := range c.records {
		places = append(places, r.Line)
	}
	for _, d := range slices.Concat(c.dropped, c.quarantined) {
		places = append(places, d.Line)
	}
	slices.Sort(places)
	for i, line := range places {
		if line != i+1 {
			t.Fatalf("the records' lines are %v", places)
		}
	}
}

// out lists what is left as line: text.
func (c curated) out() (all []string) {
	for _, r := range c.records {
		all = append(all, fmt.Sprintf("%d: %s", r.Line, r.Document().Text))
	}
	return all
}

// reasons lists drops as line: step: reason: detail.
func reasons(drops []drop) (all []string) {
	for _, d := range drops {
		all = append(all, fmt.Sprintf("%d: %s: %s: %s", d.Line, d.Step, d.Reason, d.Detail))
	}
	return all
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func text(s string) string { return fmt.Sprintf(`{"text": %q}`, s) }

// talk is a dialogue of one question with this answer.
func talk(answer string) string {
	return fmt.Sprintf(`{"messages": [{"role": "user", "content": "How?"}, {"role": "assistant", "content": %q}]}`, answer)
}

const question = `{"messages": [{"role": "user", "content": "How?"}]}`

func pair(chosen, rejected string) string {
	return fmt.Sprintf(`{"prompt": "How?", "chosen": %q, "rejected": %q}`, chosen, rejected)
}

func TestEachRecordIsKeptDroppedOrQuarantined(t *testing.T) {
	c, err := curate(t, "text", "dedup: {}, score: judge, keep: judge.length >= 8, keep: judge.second > 0 or judge.length < 12",
		text("a good text"), text("A good text!"), text("to fault"), text("short"), text("abstain from this"),
		text("only partly scored"), text("another good text"), text("partly 8..."))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, "out", c.out(), "1: a good text", "7: another good text", "8: partly 8...")
	wantLines(t, "dropped", reasons(c.dropped),
		"2: dedup: duplicate: of lines.jsonl:1",
		"4: keep: judge.length >= 8: not kept: ",
		"5: keep: judge.length >= 8: not kept: ",
		"6: keep: judge.second > 0 or judge.length < 12: not kept: ")
	wantLines(t, "quarantined", reasons(c.quarantined), "3: score: judge: fault: told to fail")
	if diff := cmp.Diff(map[string]float32{"judge.length": 18}, c.dropped[3].Scores); diff != "" {
		t.Errorf("scores of what was scored in part (-want +got):\n%s", diff)
	}
	want := map[string]int64{
		"dedup: duplicate": 1, "keep: judge.length >= 8: not kept": 2,
		"keep: judge.second > 0 or judge.length < 12: not kept": 1, "score: judge: fault": 1,
	}
	if diff := cmp.Diff(want, c.summary.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func TestAFilterKeepsDropsEditsAndPostpones(t *testing.T) {
	c, err := curate(t, "messages", "filter: judge",
		talk("fine"), talk("drop"), talk("change"), talk("fault"), talk("abstain"), talk("go"), talk("later 1"),
		talk("fine too"), talk("later 2"))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, "out", c.out(), "1: How?\n\nfine", "3: How?\n\nchanged", "5: How?\n\nabstain", "7: How?\n\nlater 1",
		"8: How?\n\nfine too")
	wantLines(t, "dropped", reasons(c.dropped),
		"2: filter: judge: rude, short: told to drop", "6: filter: judge: dropped: ", "9: filter: judge: short: ")
	wantLines(t, "quarantined", reasons(c.quarantined), "4: filter: judge: fault: told to fail")
	changed := *c.records[1]
	changed.Identify()
	if changed.ID != c.records[1].ID {
		t.Error("an edited record has the id of its old content")
	}
}

func TestEqualDialoguesHaveTheirOwnVerdicts(t *testing.T) {
	c, err := curate(t, "messages", "filter: judge", talk("later"), talk("later"), talk("later"))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, "out", c.out(), "1: How?\n\nlater", "3: How?\n\nlater")
	wantLines(t, "dropped", reasons(c.dropped), "2: filter: judge: short: ")
}

func TestARewardJudgesBothAnswersOfAPair(t *testing.T) {
	c, err := curate(t, "preference", "reward: judge, keep: judge.margin > 0",
		pair("a long answer", "short"), pair("short", "a long answer"), pair("fine", "a fault"), pair("abstain", "short"),
		pair("long enough", "fine"))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, "dropped", reasons(c.dropped),
		"2: keep: judge.margin > 0: not kept: ", "4: keep: judge.margin > 0: not kept: ")
	wantLines(t, "quarantined", reasons(c.quarantined), "3: reward: judge: fault: told to fail")
	want := map[string]float32{"judge.chosen": 13, "judge.rejected": 5, "judge.margin": 8}
	if diff := cmp.Diff(want, c.records[0].Scores); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
}

func TestARewardJudgesTheLastAnswerOfADialogue(t *testing.T) {
	c, err := curate(t, "messages", "reward: judge, keep: judge.reward >= 5", talk("fine"), talk("longer"), talk("fault"))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, "out", c.out(), "2: How?\n\nlonger")
	wantLines(t, "quarantined", reasons(c.quarantined), "3: reward: judge: fault: told to fail")
}

func TestACurateStageSaysWhyItCannotGoOn(t *testing.T) {
	for _, c := range []struct {
		what, format, steps string
		lines               []string
		want                string
	}{
		{"an edit beyond the end", "messages", "filter: judge", []string{talk("fine"), talk("beyond")},
			"stage clean: step 1 (filter: judge): lines.jsonl:2: edit of turn 2 of 2"},
		{"a dialogue without an answer", "messages", "reward: judge", []string{talk("fine"), question},
			"lines.jsonl:2: the dialogue does not end with an answer"},
		{"a score that no record has", "text", "score: judge, keep: judge.depth > 1", []string{text("a text")},
			`no record has a score "judge.depth"`},
		{"an expression that cannot be read", "text", "keep: judge.length >", []string{text("a text")},
			"curate.yaml:4:53: stages.clean: keep: "},
	} {
		_, err := curate(t, c.format, c.steps, c.lines...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.what, err, c.want)
		}
	}
}

func TestTooManyFaultsStopTheStage(t *testing.T) {
	faults := []string{text("fault 1"), text("fine"), text("fault 2"), text("fault 3"), text("fine")}
	if c, err := curate(t, "text", "score: judge", faults[:3]...); err != nil || len(c.quarantined) != 2 {
		t.Errorf("as many faults as are allowed: %d quarantined, %v", len(c.quarantined), err)
	}
	_, err := curate(t, "text", "score: judge", faults...)
	if !errors.Is(err, plugin.ErrTooManyFaults) || !strings.Contains(err.Error(), "told to fail") ||
		!strings.Contains(err.Error(), "stage clean: step 1 (score: judge): plugin judge:") {
		t.Errorf("one fault more: %v", err)
	}
}

func TestEditsAreAppliedInTheirOrder(t *testing.T) {
	turns := []sdk.Turn{
		{Role: sdk.RoleSystem, Text: "s"}, {Role: sdk.RoleUser, Text: "q"}, {Role: sdk.RoleAssistant, Text: "a"},
	}
	for _, c := range []struct {
		edits []sdk.TurnEdit
		want  string
	}{
		{nil, "system s, user q, assistant a"},
		{[]sdk.TurnEdit{{Turn: 2, Text: "b"}}, "system s, user q, assistant b"},
		{[]sdk.TurnEdit{{Turn: 0, Op: sdk.DeleteTurn}, {Turn: 0, Text: "r"}}, "user r, assistant a"},
		{[]sdk.TurnEdit{{Turn: 3, Op: sdk.InsertTurn, Text: "p"}, {Turn: 4, Op: sdk.InsertTurn, Text: "c"}},
			"system s, user q, assistant a, user p, assistant c"},
		{[]sdk.TurnEdit{{Turn: 0, Op: sdk.InsertTurn, Text: "p"}}, "user p, system s, user q, assistant a"},
		{[]sdk.TurnEdit{{Turn: 3, Text: "b"}}, "error: edit of turn 3 of 3"},
		{[]sdk.TurnEdit{{Turn: 3, Op: sdk.DeleteTurn}}, "error: edit of turn 3 of 3"},
		{[]sdk.TurnEdit{{Turn: 4, Op: sdk.InsertTurn}}, "error: edit of turn 4 of 3"},
		{[]sdk.TurnEdit{{Turn: -1}}, "error: edit of turn -1 of 3"},
		{slices.Repeat([]sdk.TurnEdit{{Op: sdk.DeleteTurn}}, 3), "error: the edits leave no turn"},
	} {
		before := slices.Clone(turns)
		got, err := edited(turns, c.edits)
		var told []string
		for _, turn := range got {
			told = append(told, string(turn.Role)+" "+turn.Text)
		}
		if err != nil {
			told = []string{"error: " + err.Error()}
		}
		if strings.Join(told, ", ") != c.want {
			t.Errorf("edits %v give %q, want %q", c.edits, told, c.want)
		}
		if !slices.Equal(turns, before) {
			t.Fatalf("edits %v changed the turns they were applied to", c.edits)
		}
	}
}
