package tokenizer

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestNFCAgreesWithThePackageOnShortRunsOfMarks(t *testing.T) {
	char := rapid.OneOf(
		rapid.SampledFrom([]rune("aeoAKåéṩ각ᄀᆨ가\u1161\u11a8\u0301\u0323\u0307\u0327\u0344\u0345\u212b")),
		rapid.SampledFrom([]rune("\u0958\u09c7\u09be\u0b47\u0b56\u30b1\u3099")),
		rapid.Rune(),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(char, 0, 25, -1).Draw(t, "text")
		if got, want := normalForm(norm.NFC)(text), norm.NFC.String(text); got != want {
			t.Fatalf("normalForm(norm.NFC)(%+q) = %+q, want %+q", text, got, want)
		}
	})
}

func TestNFCPutsNothingIntoLongRunsOfMarks(t *testing.T) {
	marks := strings.Repeat("\u0301", 100)
	if got, want := normalForm(norm.NFC)("e\u0323"+marks), "\u1eb9"+marks; got != want {
		t.Errorf("got %+q", got)
	}
	if got, want := normalForm(norm.NFC)("e"+marks+"\u0323"), "\u1eb9"+marks; got != want {
		t.Errorf("got %+q", got)
	}
}
