package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
)

// A ranked document is one with how well it answers the query, from 0 to 1.
type ranked struct {
	Index     int       `json:"index"`
	Relevance float64   `json:"relevance_score"`
	Document  *document `json:"document,omitempty"`
}

// A document is a text, in requests also as a bare string.
type document struct {
	Text string `json:"text"`
}

func (d *document) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		return json.Unmarshal(raw, &d.Text)
	}
	type plain document
	return json.Unmarshal(raw, (*plain)(d))
}

// rerank answers as Jina, Cohere and vLLM do
//
//	{"model": NAME, "query": TEXT, "documents": [TEXT, ...], "top_n": N, "return_documents": BOOL}
//
// with {"id": ID, "model": NAME, "results": [{"index": 1, "relevance_score": R, "document": {"text": TEXT}}], "usage":
// {...}}, the best first. R is the logistic function of the head's only output.
func (s *Server) rerank(w http.ResponseWriter, r *http.Request) error {
	p, err := readParameters(r)
	if err != nil {
		return err
	}
	name, query, with, most := "", "", true, mostTexts
	var documents []document
	p.take("model", &name)
	if !p.take("query", &query) {
		p.refuse("query", "is missing")
	}
	p.take("documents", &documents)
	p.take("return_documents", &with)
	number(p, "top_n", &most, 1, 1<<30)
	if err := p.done(); err != nil {
		return err
	}
	m, err := s.scorer(name)
	if err != nil {
		return err
	}
	all, tokens, err := s.rank(r.Context(), m, query, documents)
	if err != nil {
		return err
	}
	for i := range all {
		if with {
			all[i].Document = &documents[all[i].Index]
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"id": newID("rerank-"), "model": m.name, "results": all[:min(most, len(all))], "usage": tokenUsage(tokens),
	})
}

// rank scores documents and puts the best first.
func (s *Server) rank(ctx context.Context, m *served, query string, documents []document) ([]ranked, int, error) {
	if outputs := m.asked.Info().Outputs; outputs != 1 {
		return nil, 0, wrong("model", "%s has %d outputs; one is needed to rank", m.name, outputs)
	}
	if len(documents) == 0 {
		return nil, 0, wrong("documents", "is missing or empty")
	}
	var q pairs
	for _, d := range documents {
		if err := q.add(m, "documents", query, d.Text); err != nil {
			return nil, 0, err
		}
	}
	rows, tokens, err := s.scorePairs(ctx, m, "documents", q)
	all := make([]ranked, len(rows))
	for i, row := range rows {
		all[i] = ranked{Index: i, Relevance: sigmoid(row[0])}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(b.Relevance, a.Relevance) })
	return all, tokens, err
}
