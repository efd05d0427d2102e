package serve

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/model"
)

// answers begins the answers of an ask. Where a text goes on after its prompt, before are the prompts.
func (a *ask) answers(before [][]int32) []*answer {
	all := make([]*answer, len(a.prompts)*a.choices)
	for i := range all {
		var prompt []int32
		if before != nil {
			prompt = before[i/a.choices]
		}
		all[i] = newAnswer(a.model.tok, prompt, a.stops)
	}
	return all
}

// gather runs an ask to its end.
func (a *ask) gather(ctx context.Context) (answers []*answer, texts []string, err error) {
	return a.gatherAfter(ctx, nil)
}

func (a *ask) gatherAfter(ctx context.Context, before [][]int32) (answers []*answer, texts []string, err error) {
	answers = a.answers(before)
	builders := make([]strings.Builder, len(answers))
	err = a.run(ctx, func(i int, t model.Token) (bool, error) {
		builders[i].WriteString(answers[i].add(t))
		return answers[i].end != model.NotEnded, nil
	})
	for i := range builders {
		texts = append(texts, builders[i].String())
	}
	return answers, texts, err
}

// named is the model of a request. A server of one model needs no name.
func (s *Server) named(name string) (*served, error) {
	if name == "" && len(s.models) == 1 {
		return s.models[0], nil
	}
	m := s.model(name)
	if m == nil {
		f := notFound("model: there is no %q here; GET /v1/models lists those that are", name)
		f.Param, f.Code = "model", "model_not_found"
		return nil, f
	}
	return m, nil
}

// writer is the language model of a request.
func (s *Server) writer(name string) (*served, error) {
	m, err := s.named(name)
	if err == nil && m.grows == nil {
		err = wrong("model", "%s is no language model that could answer", m.name)
	}
	return m, err
}

// newID names an answer.
func newID(prefix string) string { return prefix + rand.Text() }

// A modelCard is a model in a list.
type modelCard struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
	Room    int    `json:"max_model_len"`
	Writes  bool   `json:"writes"` // it answers chats and completions
	Scores  bool   `json:"scores"`
}

func (s *Server) card(m *served) modelCard {
	return modelCard{m.name, "model", s.begun.Unix(), "carebot", m.longest(), m.writes, m.scores}
}

// longest is how many tokens a model takes.
func (m *served) longest() int {
	if m.writes {
		return m.room
	}
	return m.context
}

func (s *Server) listModels(w http.ResponseWriter, _ *http.Request) error {
	cards := []modelCard{}
	for _, m := range s.models {
		cards = append(cards, s.card(m))
	}
	return writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": cards})
}

func (s *Server) showModel(w http.ResponseWriter, r *http.Request) error {
	m, err := s.named(r.PathValue("name"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, s.card(m))
}

// checkIDs refuses ids that are no tokens of the model.
func (m *served) checkIDs(param string, ids []int32) error {
	for i, id := range ids {
		if id < 0 || int(id) >= m.vocab {
			return wrong(param, "token %d has id %d, outside the vocabulary of %d", i, id, m.vocab)
		}
	}
	return nil
}
