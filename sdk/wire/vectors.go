package wire

import "github.com/carebot-llm/carebot/sdk"

// EncodeTexts writes a model request for outputs of the head.
func EncodeTexts(b *Builder, texts [][]sdk.Turn) ([]byte, error) {
	b.Begin(Texts, len(texts), 3, 0)
	if err := b.turns(turnsOf, len(texts), func(i int) []sdk.Turn { return texts[i] }); err != nil {
		return nil, err
	}
	return b.Finish()
}

// DecodeTexts reads a model request for outputs of the head.
func DecodeTexts(f *Frame) ([][]sdk.Turn, error) {
	f.expect(Texts)
	f.require(ColTurns)
	return f.turns(turnsOf, f.Rows), f.err
}

// EncodeEmbed writes a model request for embeddings.
func EncodeEmbed(b *Builder, texts []string) ([]byte, error) {
	b.Begin(Embed, len(texts), 1, 0)
	b.texts(ColText, len(texts), func(i int) string { return texts[i] })
	return b.Finish()
}

// DecodeEmbed reads a model request for embeddings.
func DecodeEmbed(f *Frame) ([]string, error) {
	f.expect(Embed)
	f.require(ColText)
	text := f.texts(ColText, f.Rows)
	if f.err != nil {
		return nil, f.err
	}
	texts := make([]string, f.Rows)
	for i := range texts {
		texts[i] = text.at(i)
	}
	return texts, nil
}

// EncodeVectors writes the answer to a request of kind Texts or Embed.
func EncodeVectors(b *Builder, kind Kind, vectors [][]float64) ([]byte, error) {
	b.Begin(kind|Answer, len(vectors), 2, 0)
	n := b.list(ColVector, len(vectors), func(i int) int { return len(vectors[i]) })
	flat := make([]float64, 0, n)
	for _, v := range vectors {
		flat = append(flat, v...)
	}
	b.f64(ColValue, n, func(i int) float64 { return flat[i] })
	return b.Finish()
}

// DecodeVectors reads the answer to a request of kind Texts or Embed.
func DecodeVectors(f *Frame, kind Kind) ([][]float64, error) {
	f.expect(kind | Answer)
	f.require(ColVector)
	from, n := f.list(ColVector, f.Rows)
	flat := f.f64(ColValue, n)
	if f.err != nil {
		return nil, f.err
	}
	vectors := make([][]float64, f.Rows)
	for i := range vectors {
		vectors[i] = flat[from[i]:from[i+1]:from[i+1]]
	}
	return vectors, nil
}
