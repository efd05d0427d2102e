package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// gpuDocuments are scored at once, all as long as the shape.
const gpuDocuments = 256

// gpuScoring measures an encoder of bge-m3's shape as raters use it.
func gpuScoring(b *bench) (report, error) {
	dev, err := b.openGPU()
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	form := scored
	form.Vocab = 250002
	form = b.size(form)
	m, err := model.New(dev, form.encoder(), model.HeadClassify, 1, model.Frozen(), model.BF16())
	if err != nil {
		return report{}, err
	}
	defer m.Close()
	served := eval.Serve("scored", m, nil, dev, new(sync.Mutex))
	defer served.Close()
	documents := make([][]int32, gpuDocuments)
	for i := range documents {
		documents[i] = randomTokenizer{form.Vocab, form.Length - 1}.Encode(fmt.Sprint(i))
	}
	all, err := b.hold(contest{sides: []side{ours("ours", func() error {
		_, err := served.ScoreTokens(context.Background(), documents, nil)
		return err
	})}})
	if err != nil {
		return report{}, err
	}
	rate := gpuDocuments / all[0].best()
	t := table{{"documents", "documents/s", "beside the first goal"}}
	t.row(fmt.Sprintf("%d of %d tokens, bf16", gpuDocuments, form.Length), all[0].rate(gpuDocuments), gpuGoal{600, 1000}.of(rate))
	return report{body: fmt.Sprintf("XLM-RoBERTa, %d layers, d=%d, vocabulary %d, one output.\n\n%v",
		form.Layers, form.Width, form.Vocab, t)}, nil
}
