package eval

import (
	"context"
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

// ChoiceOptions say how multiple-choice questions are put.
type ChoiceOptions struct {
	Shots   []*data.Record // solved examples before each question
	Letters bool           // compare the options' letters, with the options listed; else the options' texts per byte
	Chat    bool           // put the question as a user turn of the model's chat template
}

// An Item is the outcome of one question, a line of an items file.
type Item struct {
	ID       string    `json:"id"`
	Question string    `json:"question"`
	Options  []string  `json:"options"`
	Scores   []float64 `json:"scores"` // log-probability, per byte of the option unless letters are compared
	Chosen   int       `json:"chosen"`
	Answer   int       `json:"answer"`
	Correct  bool      `json:"correct"`
	Language string    `json:"language"`
}

// MeasureChoice answers each question with the option of the highest score; the first of equals wins.
func MeasureChoice(ctx context.Context, s *Served, questions []*data.Record, o ChoiceOptions) ([]Item, error) {
	var requests []sdk.LogLikRequest
	for _, q := range questions {
		for i := range q.Options {
			requests = append(requests, sdk.LogLikRequest{Context: o.context(q), Continuation: o.continuation(q, i)})
		}
	}
	answers, err := s.LogLik(ctx, requests)
	if err != nil {
		return nil, fmt.Errorf("multiple choice: %w", err)
	}
	items := make([]Item, len(questions))
	for i, q := range questions {
		items[i] = o.item(q, answers[:len(q.Options)])
		answers = answers[len(q.Options):]
	}
	return items, nil
}

func (o ChoiceOptions) item(q *data.Record, answers []sdk.LogLik) Item {
	item := Item{ID: q.ID, Question: q.Question, Options: q.Options, Answer: q.Answer, Language: q.Language}
	for i, a := range answers {
		score := a.LogProb
		if !o.Letters {
			score /= float64(max(1, len(q.Options[i])))
		}
		item.Scores = append(item.Scores, score)
		if score > item.Scores[item.Chosen] {
			item.Chosen = i
		}
	}
	item.Correct = item.Chosen == item.Answer
	return item
}

func (o ChoiceOptions) context(q *data.Record) []sdk.Turn {
	if o.Chat {
		var turns []sdk.Turn
		for _, shot := range o.Shots {
			turns = append(turns, sdk.Turn{Role: sdk.RoleUser, Text: o.question(shot)},
				sdk.Turn{Role: sdk.RoleAssistant, Text: o.continuation(shot, shot.Answer)})
		}
		return append(turns, sdk.Turn{Role: sdk.RoleUser, Text: o.question(q)})
	}
	var b strings.Builder
	for _, shot := range o.Shots {
		fmt.Fprintf(&b, "%s%s\n\n", o.prompt(shot), o.continuation(shot, shot.Answer))
	}
	return []sdk.Turn{{Text: b.String() + o.prompt(q)}}
}

// question is the text of a question, with the options listed when letters are compared.
func (o ChoiceOptions) question(q *data.Record) string {
	if !o.Letters {
		return q.Question
	}
	lines := []string{q.Question}
	for i, option := range q.Options {
		lines = append(lines, letter(i)+". "+option)
	}
	return strings.Join(lines, "\n")
}

// prompt is a question as plain text.
func (o ChoiceOptions) prompt(q *data.Record) string {
	if q.Language == "zh" {
		return "问题：" + o.question(q) + "\n答案："
	}
	return "Question: " + o.question(q) + "\nAnswer:"
}

func (o ChoiceOptions) continuation(q *data.Record, option int) string {
	text := q.Options[option]
	if o.Letters {
		text = letter(option)
	}
	if o.Chat || q.Language == "zh" {
		return text
	}
	return " " + text
}

func letter(option int) string { return string(rune('A' + option)) }

// Accuracy is a share of right answers.
type Accuracy struct {
	Items   int     `json:"items"`
	Correct int     `json:"correct"`
	Share   float64 `json:"accuracy"`
	Chance  float64 `json:"chance"` // expected of a random answer
}

// Accuracies sums up items by language.
func Accuracies(items []Item) map[string]Accuracy {
	all := map[string]Accuracy{}
	for _, it := range items {
		a := all[it.Language]
		a.Items++
		a.Chance += 1 / float64(len(it.Options))
		if it.Correct {
			a.Correct++
		}
		all[it.Language] = a
	}
	for language, a := range all {
		a.Share = float64(a.Correct) / float64(a.Items)
		a.Chance /= float64(a.Items)
		all[language] = a
	}
	return all
}
