package serve

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"

	"github.com/carebot-llm/carebot/host/internal/data"
)

// An embedding is the last layer of a text, pooled: numbers, or base64 of little-endian float32.
type embedding struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"`
}

// mostTexts bounds the texts of one request for embeddings or scores.
const mostTexts = 2048

func (s *Server) embed(w http.ResponseWriter, r *http.Request) error {
	p, err := readParameters(r)
	if err != nil {
		return err
	}
	name, form, input := "", "float", texts{}
	p.take("model", &name)
	p.take("input", &input)
	p.take("encoding_format", &form)
	if form != "float" && form != "base64" {
		p.refuse("encoding_format", "%q is neither float nor base64", form)
	}
	if err := p.done(); err != nil {
		return err
	}
	m, err := s.named(name)
	if err != nil {
		return err
	}
	sequences, err := input.encode(m, "input", func(text string) []int32 { return data.TextTokens(m.tok, text) })
	if err != nil {
		return err
	}
	total, err := m.fits("input", sequences)
	if err != nil {
		return err
	}
	rows, err := s.rows(r.Context(), sequences, m.asked.EmbedTokens)
	if err != nil {
		return err
	}
	all := make([]embedding, len(rows))
	for i, row := range rows {
		all[i] = embedding{"embedding", i, row}
		if form == "base64" {
			all[i].Embedding = inBase64(row)
		}
	}
	return writeList(w, m, all, total)
}

// rows asks a model for a row of numbers for each text, once there is room among the requests.
func (s *Server) rows(
	ctx context.Context, sequences [][]int32, ask func(context.Context, [][]int32) ([][]float64, error),
) ([][]float64, error) {
	leave, err := s.enter(1)
	if err != nil {
		return nil, err
	}
	defer leave()
	return ask(ctx, sequences)
}

// fits counts the tokens of texts and refuses those that are longer than the model's context.
func (m *served) fits(param string, sequences [][]int32) (total int, err error) {
	if len(sequences) > mostTexts {
		return 0, wrong(param, "has %d texts; a request may have %d", len(sequences), mostTexts)
	}
	for i, ids := range sequences {
		if len(ids) == 0 || len(ids) > m.context {
			f := wrong(param, "text %d has %d tokens; the model reads 1 to %d", i, len(ids), m.context)
			f.Code = "context_length_exceeded"
			return 0, f
		}
		total += len(ids)
	}
	return total, nil
}

func inBase64(row []float64) string {
	var raw []byte
	for _, v := range row {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(v)))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// writeList answers with one thing for each text.
func writeList[T any](w http.ResponseWriter, m *served, all []T, tokens int) error {
	return writeJSON(w, http.StatusOK, map[string]any{
		"object": "list", "model": m.name, "data": all, "usage": tokenUsage(tokens),
	})
}

// tokenUsage counts the tokens of texts that are only read.
func tokenUsage(n int) map[string]int { return map[string]int{"prompt_tokens": n, "total_tokens": n} }
