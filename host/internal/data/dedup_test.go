package data

import "testing"

func TestFirstOfEqualContentsWins(t *testing.T) {
	records := []*Record{
		{Text: "High blood pressure.", File: "a", Line: 1},
		{Text: "high  BLOOD pressure", File: "b", Line: 2, Language: "en", Scores: map[string]float32{"x": 1}},
		{Text: "ｈｉｇｈ　blood pressure！", File: "c", Line: 3},
		{Text: "low blood pressure", File: "d", Line: 4},
		{Text: "...", File: "e", Line: 5},
		{Text: "!", File: "f", Line: 6},
		{Turns: turns("u", "high blood pressure"), File: "g", Line: 7},
		{Turns: turns("u", "High blood pressure!"), File: "h", Line: 8},
		{Turns: turns("u", "high", "a", "blood pressure"), File: "i", Line: 9},
	}
	want := map[int]string{1: "a:1", 2: "a:1", 7: "g:7"}
	seen, exact := NewSeen(true), NewSeen(false)
	for i, r := range records {
		first, again := seen.Add(r)
		if again != (want[i] != "") || first != want[i] {
			t.Errorf("record %d: seen again %t, first %q, want %q", i, again, first, want[i])
		}
		if _, again := exact.Add(r); again {
			t.Errorf("record %d is no exact duplicate", i)
		}
	}
	if first, again := exact.Add(records[0]); !again || first != "a:1" {
		t.Errorf("an exact duplicate: %q, %t", first, again)
	}
}
