package run

import (
	"context"
	"iter"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// tokenizer trains a tokenizer on the texts of datasets.
func (p *Process) tokenizer(ctx context.Context, spec *recipe.Tokenizer, dir string, s *Summary) error {
	var all []*data.Record
	for _, ref := range spec.From {
		records, err := p.records(ctx, ref)
		if err != nil {
			return err
		}
		all = append(all, records...)
	}
	train := tokenizer.Train
	if spec.Model == "unigram" {
		train = tokenizer.TrainUnigram
	}
	tok, err := train(documents(all), spec.Vocab)
	if err != nil {
		return err
	}
	s.Unit, s.In, s.Out = "records", int64(len(all)), int64(len(all))
	s.Figures = map[string]float64{"vocabulary": float64(tok.Size())}
	return tok.Save(dir)
}

func documents(records []*data.Record) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, r := range records {
			if !yield(r.Document().Text) {
				return
			}
		}
	}
}
