package serve

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/carebot-llm/carebot/host/internal/model"
)

// A textReply is a whole completion, or a chunk of a stream.
type textReply struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"`
	Model   string       `json:"model"`
	Choices []textChoice `json:"choices"`
	Usage   *usage       `json:"usage,omitempty"`
}

type textChoice struct {
	Index    int          `json:"index"`
	Text     string       `json:"text"`
	LogProbs *textChances `json:"logprobs"`
	Finish   *model.End   `json:"finish_reason"`
}

// texts are what requests name as a string, a list of strings, a list of tokens or a list of such lists.
type texts struct {
	strings []string
	tokens  [][]int32
}

func (t *texts) UnmarshalJSON(raw []byte) error {
	var one []int32
	if json.Unmarshal(raw, &one) == nil && len(one) > 0 {
		t.tokens = [][]int32{one}
		return nil
	}
	if json.Unmarshal(raw, &t.tokens) == nil && len(t.tokens) > 0 {
		return nil
	}
	t.tokens = nil
	return json.Unmarshal(raw, (*oneOrMore[string])(&t.strings))
}

// encode makes all texts tokens, by f where they are strings.
func (t *texts) encode(m *served, param string, f func(string) []int32) ([][]int32, error) {
	all := t.tokens
	for _, text := range t.strings {
		all = append(all, f(text))
	}
	if len(all) == 0 {
		return nil, wrong(param, "is missing or empty")
	}
	for _, ids := range all {
		if err := m.checkIDs(param, ids); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// opening are the tokens of a text that is to be continued. The text of a special token is that token, since people
// write out templates here; a token that begins texts is put before it, unless it is there.
func (m *served) opening(text string) []int32 {
	ids := m.tok.EncodeAll(text)
	if bos, ok := m.tok.BOS(); ok && (len(ids) == 0 || ids[0] != bos) {
		ids = slices.Insert(ids, 0, bos)
	}
	return ids
}

// defaultTokens is the length of a completion that names none.
const defaultTokens = 16

func (s *Server) complete(w http.ResponseWriter, r *http.Request) error {
	p, err := readParameters(r)
	if err != nil {
		return err
	}
	o, stream, name, prompt := p.sampling(), p.streaming(), "", texts{}
	p.take("model", &name)
	p.take("prompt", &prompt)
	o.maxTokens, o.Top = defaultTokens, -1
	number(p, "max_tokens", &o.maxTokens, 1, 1<<30)
	number(p, "logprobs", &o.Top, -1, mostTop)
	o.LogProbs, o.Top = o.Top >= 0, max(o.Top, 0)
	p.only("echo", "false")
	p.only("suffix", `""`)
	p.only("best_of", "1")
	if err := p.done(); err != nil {
		return err
	}
	m, err := s.writer(name)
	if err != nil {
		return err
	}
	prompts, err := prompt.encode(m, "prompt", m.opening)
	if err != nil {
		return err
	}
	if len(prompts) > mostPrompts {
		return wrong("prompt", "has %d prompts; a request may have %d", len(prompts), mostPrompts)
	}
	a, err := s.ask(m, prompts, o, "prompt")
	if err != nil {
		return err
	}
	leave, err := s.enter(len(prompts) * o.choices)
	if err != nil {
		return err
	}
	defer leave()
	reply := textReply{ID: newID("cmpl-"), Object: "text_completion", Created: time.Now().Unix(), Model: m.name}
	if stream.on {
		return a.streamText(w, r, reply, stream)
	}
	return a.wholeText(w, r, reply)
}

// choice is a piece of an answer.
func (a *ask) choice(i int, one *answer, piece string) textChoice {
	c := textChoice{Index: i, Text: piece}
	if a.LogProbs {
		c.LogProbs = one.textChances(one.news())
	}
	if one.end != model.NotEnded {
		c.Finish = &one.end
	}
	return c
}

func (a *ask) wholeText(w http.ResponseWriter, r *http.Request, reply textReply) error {
	answers, texts, err := a.gatherAfter(r.Context(), a.prompts)
	if err != nil {
		return err
	}
	for i, one := range answers {
		reply.Choices = append(reply.Choices, a.choice(i, one, texts[i]))
	}
	reply.Usage = a.usage(answers)
	return writeJSON(w, http.StatusOK, reply)
}

func (a *ask) streamText(w http.ResponseWriter, r *http.Request, reply textReply, o streaming) error {
	answers, out := a.answers(a.prompts), newEventStream(w)
	err := a.run(r.Context(), func(i int, t model.Token) (bool, error) {
		one := answers[i]
		piece := one.add(t)
		over := one.end != model.NotEnded
		if piece == "" && !over {
			return false, nil
		}
		reply.Choices = []textChoice{a.choice(i, one, piece)}
		return over, out.send(reply)
	})
	if err == nil && o.usage {
		reply.Choices, reply.Usage = []textChoice{}, a.usage(answers)
		err = out.send(reply)
	}
	return out.end(err)
}
