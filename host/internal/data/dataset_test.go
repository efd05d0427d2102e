package data

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func drawTurns(t *rapid.T, label string) []sdk.Turn {
	role := rapid.SampledFrom([]sdk.Role{sdk.RoleRaw, sdk.RoleSystem, sdk.RoleUser, sdk.RoleAssistant})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sdk.Turn {
		return sdk.Turn{Role: role.Draw(t, "role"), Text: rapid.String().Draw(t, "text")}
	}), 1, 4).Draw(t, label)
}

// drawRecord draws a record of any kind with any scores.
func drawRecord(t *rapid.T) *Record {
	text := rapid.String()
	r := &Record{
		Source: text.Draw(t, "source"), Language: rapid.SampledFrom([]string{"zh", "en", ""}).Draw(t, "language"),
		File: text.Draw(t, "file"), Line: rapid.IntRange(0, 1<<40).Draw(t, "line"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		r.Text = text.Draw(t, "text")
	case 1:
		r.Turns = drawTurns(t, "turns")
	case 2:
		r.Prompt, r.Chosen, r.Rejected = drawTurns(t, "prompt"), text.Draw(t, "chosen"), text.Draw(t, "rejected")
	case 3:
		r.Question, r.Options = text.Draw(t, "question"), rapid.SliceOfN(text, 2, 5).Draw(t, "options")
		r.Answer = rapid.IntRange(0, len(r.Options)-1).Draw(t, "answer")
	}
	name := rapid.SampledFrom([]string{"label", "rules.words", "rater.quality"})
	score := rapid.OneOf(rapid.Float32(), rapid.Just(float32(math.NaN())))
	if scores := rapid.MapOfN(name, score, 0, 3).Draw(t, "scores"); len(scores) > 0 {
		r.Scores = scores
	}
	r.Identify()
	return r
}

func TestDatasetsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawRecord), 0, 20).Draw(t, "records")
		scores := describe(want).Scores
		schema, err := schemaWith(scores)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer // the disk would take most of the time
		if err := writeRows(&b, schema, want); err != nil {
			t.Fatal(err)
		}
		got, err := readRecords(File{fsys: files{"r": b.String()}.fs(), path: "r"}, scores)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func someRecords(n int) []*Record {
	all := make([]*Record, n)
	for i := range all {
		scores := map[string]float32{"b.x": float32(i), "a.y": 1}
		all[i] = &Record{Text: string(rune('a'+i%26)) + "text", Line: i, Scores: scores}
		all[i].Identify()
	}
	return all
}

func TestDatasetBytesAreDeterministic(t *testing.T) {
	records := someRecords(rowGroup + 10)
	write := func(threads int) []byte {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		schema, err := schemaWith(describe(records).Scores)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := writeRows(&b, schema, records); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	one := write(1)
	for range 2 {
		if !bytes.Equal(one, write(4)) {
			t.Fatal("the same records give other bytes")
		}
	}
}

func TestDatasetLargerThanARowGroupKeepsItsOrder(t *testing.T) {
	dir, want := filepath.Join(t.TempDir(), "set"), someRecords(rowGroup+10)
	if err := WriteDataset(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := OpenDataset(dir)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d records came back: %v", len(got), err)
	}
	for i := range want {
		if got[i].ID != want[i].ID || got[i].Scores["b.x"] != float32(i) {
			t.Fatalf("record %d came back as %+v", i, got[i])
		}
	}
}

func TestDatasetThatIsNotWholeIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	if err := WriteDataset(dir, someRecords(5)); err != nil {
		t.Fatal(err)
	}
	info, err := os.ReadFile(filepath.Join(dir, infoFile))
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{`"records": 5`: `"records": 6`, `"version": 2`: `"version": 3`} {
		changed := bytes.Replace(info, []byte(from), []byte(to), 1)
		if err := os.WriteFile(filepath.Join(dir, infoFile), changed, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenDataset(dir); err == nil {
			t.Errorf("opened with %s", to)
		}
	}
	_, err = OpenDataset(filepath.Join(dir, "none"))
	wantError(t, err, "open dataset", "none")
}

func TestScoreMayNotHideAColumn(t *testing.T) {
	records := []*Record{{Text: "a", Scores: map[string]float32{"text": 1}}}
	err := WriteDataset(filepath.Join(t.TempDir(), "set"), records)
	wantError(t, err, `"text"`)
}
