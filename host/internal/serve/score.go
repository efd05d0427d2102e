package serve

import (
	"context"
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
//	{"model": NAME, "text_1": TEXT or [TEXT, ...], "text_2": TEXT or [TEXT, ...]}   pairs, as cross-encoders read them
//
// with {"object": "list", "model": NAME, "data": [{"object": "score", "index": 0, "score": FIRST, "scores": [ALL]}],
// "usage": {...}}. Scores are the head's outputs as they are.
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
	p.take("text_1", &q.first)
	p.take("text_2", &q.second)
	if err := p.done(); err != nil {
		return err
	}
	m, err := s.scorer(name)
	if err != nil {
		return err
	}
	sequences, err := q.encode(m)
	if err != nil {
		return err
	}
	rows, tokens, err := s.scorePairs(r.Context(), m, q.param(), sequences)
	if err != nil {
		return err
	}
	all := make([]score, len(rows))
	for i, row := range rows {
		all[i] = score{"score", i, row[0], row}
	}
	return writeList(w, m, all, tokens)
}

// scorePairs asks a model for its outputs for pairs, or for sequences of one text if they have no types.
func (s *Server) scorePairs(ctx context.Context, m *served, param string, p pairs) ([][]float64, int, error) {
	tokens, err := m.fits(param, p.sequences)
	if err != nil {
		return nil, 0, err
	}
	rows, err := s.rows(ctx, p.sequences, func(ctx context.Context, sequences [][]int32) ([][]float64, error) {
		return m.asked.ScoreTokens(ctx, sequences, p.types)
	})
	return rows, tokens, err
}

// A scoreRequest has texts of one of four kinds.
type scoreRequest struct {
	input         texts
	dialogues     dialogues
	pairs         [][2]string
	first, second oneOrMore[string]
}

// param names the kind that is there.
func (q *scoreRequest) param() string {
	switch {
	case q.dialogues != nil:
		return "messages"
	case q.pairs != nil:
		return "pairs"
	case q.first != nil || q.second != nil:
		return "text_2"
	}
	return "input"
}

func (q *scoreRequest) encode(m *served) (p pairs, err error) {
	kinds := 0
	for _, given := range []bool{
		q.input.strings != nil || q.input.tokens != nil, q.dialogues != nil, q.pairs != nil,
		q.first != nil || q.second != nil,
	} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return p, wrong("input", "want one of input, messages, pairs, and text_1 with text_2, not %d of them", kinds)
	}
	switch q.param() {
	case "input":
		p.sequences, err = q.input.encode(m, "input", func(text string) []int32 { return data.TextTokens(m.tok, text) })
		return p, err
	case "text_2":
		return match(m, q.first, q.second)
	}
	p.sequences, err = q.talks(m)
	return p, err
}

// talks encodes dialogues.
func (q *scoreRequest) talks(m *served) (sequences [][]int32, err error) {
	all := q.dialogues
	for _, pair := range q.pairs {
		all = append(all, []sdk.Turn{{Role: sdk.RoleUser, Text: pair[0]}, {Role: sdk.RoleAssistant, Text: pair[1]}})
	}
	if len(all) == 0 {
		return nil, wrong(q.param(), "is empty")
	}
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
