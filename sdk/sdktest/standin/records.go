package standin

import (
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

// Records are what a plugin of any kind is asked.
type Records struct {
	Documents []sdk.Document
	Dialogues []sdk.Dialogue
	Samples   []sdk.Sample
}

// Awkward returns records that are awkward in every way that a plugin meets: empty, long, not ASCII.
func Awkward() Records {
	long := strings.Repeat("长文本 and more. ", 3000)
	turns := func(texts ...string) (turns []sdk.Turn) {
		for i, text := range texts {
			turns = append(turns, sdk.Turn{Role: []sdk.Role{sdk.RoleUser, sdk.RoleAssistant}[i%2], Text: text})
		}
		return turns
	}
	c := Records{
		Documents: []sdk.Document{
			{ID: "a", Text: "Aspirin thins the blood.", Language: "en", Source: "s", Meta: `{"n":1}`},
			{ID: "b"}, {ID: "c", Text: long, Language: "zh"}, {ID: "d", Text: "🫀\u0000\n", Language: "und"},
		},
		Dialogues: []sdk.Dialogue{
			{ID: "a", Turns: turns("头痛怎么办？", "Hello. 休息。", "还有呢？", "Hello. 喝水。"), Language: "zh"},
			{ID: "b"}, {ID: "c", Turns: turns("only a question")},
			{ID: "d", Turns: turns(long, long)}, {ID: "e", Turns: turns("", "")},
			{ID: "f", Turns: append([]sdk.Turn{{Role: sdk.RoleSystem, Text: "A nurse."}}, turns("hi", "yes", "so?", "no")...)},
		},
		Samples: []sdk.Sample{
			{ID: "a", History: turns("2+2?"), Response: "4", Reference: "4"}, {ID: "b"},
			{ID: "c", History: turns("问", "答", "问"), Response: long},
		},
	}
	for i := range 40 {
		id, answer := fmt.Sprint(i), fmt.Sprint(i%7)
		c.Documents = append(c.Documents, sdk.Document{ID: id, Text: strings.Repeat("word ", i), Language: "en"})
		c.Dialogues = append(c.Dialogues, sdk.Dialogue{ID: id, Turns: turns("why?", "because "+id)})
		c.Samples = append(c.Samples, sdk.Sample{ID: id, History: turns("n?"), Response: answer, Reference: "3"})
	}
	return c
}
