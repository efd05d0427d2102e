package main

import "fmt"

// The records of the files, one JSON object a line.
type (
	textRecord struct {
		ID       string   `json:"id"`
		Text     string   `json:"text"`
		Label    *float64 `json:"label,omitempty"`
		Language string   `json:"language"`
		Source   string   `json:"source"`
	}
	message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	dialogueRecord struct {
		ID       string    `json:"id"`
		Messages []message `json:"messages"`
		Language string    `json:"language"`
		Source   string    `json:"source"`
		Planted  string    `json:"planted,omitempty"`
	}
	pairRecord struct {
		ID       string `json:"id"`
		Prompt   string `json:"prompt"`
		Chosen   string `json:"chosen"`
		Rejected string `json:"rejected"`
		Language string `json:"language"`
		Source   string `json:"source"`
		Planted  string `json:"planted,omitempty"`
	}
	choiceRecord struct {
		ID       string   `json:"id"`
		Question string   `json:"question"`
		Options  []string `json:"options"`
		Answer   string   `json:"answer"`
		Topic    string   `json:"topic"`
		Language string   `json:"language"`
	}
)

func identify(source string, l language, i int) string {
	return fmt.Sprintf("%s-%v-%04d", source, l, i+1)
}

func newText(source string, l language, i int, text string) textRecord {
	return textRecord{ID: identify(source, l, i), Text: text, Language: l.String(), Source: source}
}

func newDialogue(l language, i int, talk []exchange, planted string) dialogueRecord {
	r := dialogueRecord{ID: identify("dialogues", l, i), Language: l.String(), Source: "dialogues", Planted: planted}
	for _, x := range talk {
		r.Messages = append(r.Messages, message{"user", x.question}, message{"assistant", x.answer})
	}
	return r
}

func newPair(source string, l language, i int, p preference) pairRecord {
	return pairRecord{ID: identify(source, l, i), Prompt: p.prompt, Chosen: p.chosen, Rejected: p.rejected,
		Language: l.String(), Source: source}
}

func newChoice(source string, l language, i int, q question) choiceRecord {
	return choiceRecord{ID: identify(source, l, i), Question: q.text, Options: q.options, Answer: letter(q.answer),
		Topic: string(q.fact.attr), Language: l.String()}
}
