package serve

import (
	"encoding/json"
	"net/http"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

// A score is what a reward, rater or classification head says of a text: all its outputs, of which the first is the
// score.
type score struct {
	Object string    `json:"object"`
	Index  int       `json:"index"`
	Score  float64   `json:"score"`
	Scores []float64 `json:"scores"`
}

// score answers
//
//	{"model": NAME, "input": TEXT or [TEXT, ...]}            whole texts, as rater models read them
//	{"model": NAME, "messages": [MESSAGE, ...] or [[MESSAGE, ...], ...]}   dialogues, as reward models read them
//	{"model": NAME, "pairs": [[QUESTION, ANSWER], ...]}      the same for a turn of the user and one of the assistant
//
// with {"object": "list", "model": NAME, "data": [{"object": "score", "index": 0, "score": FIRST, "scores": [ALL]}],
// "usage": {...}}.
func (s *Server) score(w http.ResponseWriter, r *http.Request) error {
	p, err := readParameters(r)
	if err != nil {
		return err
	}
	var q scoreRequest
	name := ""
	p.take("model", &name)
	p.take("input", &q.input)
	p.take("messages", &q.dialogues)
	p.take("pairs", &q.pairs)
	if err := p.done(); err != nil {
		return err
	}
	m, err := s.named(name)
	if err != nil {
		return err
	}
	if !m.scores {
		return wrong("model", "%s has no head that scores", m.name)
	}
	sequences, err := q.encode(m)
	if err != nil {
		return err
	}
	total, err := m.fits(q.param(), sequences)
	if err != nil {
		return err
	}
	rows, err := s.rows(r.Context(), sequences, m.asked.ScoreTokens)
	if err != nil {
		return err
	}
	all := make([]score, len(rows))
	for i, row := range rows {
		all[i] = score{"score", i, row[0], row}
	}
	return writeList(w, m, all, total)
}

// A scoreRequest has texts of one of three kinds.
type scoreRequest struct {
	input     texts
	dialogues dialogues
	pairs     [][2]string
}

func (q *scoreRequest) param() string {
	switch {
	case q.dialogues != nil:
		return "messages"
	case q.pairs != nil:
		return "pairs"
	}
	return "input"
}

func (q *scoreRequest) encode(m *served) ([][]int32, error) {
	all := q.dialogues
	for _, pair := range q.pairs {
		all = append(all, []sdk.Turn{{Role: sdk.RoleUser, Text: pair[0]}, {Role: sdk.RoleAssistant, Text: pair[1]}})
	}
	kinds := 0
	for _, given := range []bool{q.input.strings != nil || q.input.tokens != nil, q.dialogues != nil, q.pairs != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return nil, wrong("input", "want one of input, messages and pairs, not %d of them", kinds)
	}
	if len(all) == 0 {
		return q.input.encode(m, "input", func(text string) []int32 { return data.TextTokens(m.tok, text) })
	}
	var sequences [][]int32
	for i, turns := range all {
		ids, err := m.tok.Chat(turns, false)
		if err != nil {
			return nil, wrong(q.param(), "dialogue %d: %v", i, err)
		}
		sequences = append(sequences, ids)
	}
	return sequences, nil
}

// dialogues are one list of messages or several.
type dialogues [][]sdk.Turn

func (d *dialogues) UnmarshalJSON(raw []byte) error {
	var many []json.RawMessage
	if err := json.Unmarshal(raw, &many); err != nil {
		return err
	}
	if len(many) > 0 && len(many[0]) > 0 && many[0][0] == '{' {
		many = []json.RawMessage{raw}
	}
	for _, one := range many {
		turns, err := readTurns(one)
		if err != nil {
			return err
		}
		*d = append(*d, turns)
	}
	return nil
}

func readTurns(raw json.RawMessage) (turns []sdk.Turn, err error) {
	messages, err := readMessages(raw)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		role, _ := m.Get("role")
		content, _ := m.Get("content")
		text, ok := content.(string)
		if !ok {
			return nil, wrong("messages", "a message has no text")
		}
		turns = append(turns, sdk.Turn{Role: sdk.Role(role.(string)), Text: text})
	}
	return turns, nil
}
