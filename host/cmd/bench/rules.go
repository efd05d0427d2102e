package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// leastRules is how many times as fast as DataTrove's filters quality-rules is to be.
const leastRules = 20

// rulesCells let quality-rules and DataTrove's filters for Gopher, C4 and FineWeb read the English sample texts, on one
// processor each, and are the row of the contest. DataTrove stops at the first filter that drops a text; quality-rules
// measures all rules.
func (b *bench) rulesCells() ([]string, error) {
	docs, file, err := b.sampleDocuments()
	if err != nil {
		return nil, err
	}
	trove, err := b.pythonPeer("filters.py")
	if err != nil {
		return nil, err
	}
	p, err := plugin.Open(context.Background(), plugin.Spec{
		Name: "rules", CacheDir: b.temporary, Workers: 1,
		Plugin: recipe.Plugin{Use: "plugins/quality-rules/quality-rules.wasm"},
	})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	us := ours("quality-rules", func() error {
		_, err := p.Score(context.Background(), docs)
		return err
	})
	we, they, err := b.duel(us, trove.side("DataTrove", request{Op: "filters", Documents: file}), true)
	if err != nil {
		return nil, err
	}
	ratio, work := we.over(they), float64(len(docs))
	return []string{
		"quality-rules, of DataTrove's Gopher, C4 and FineWeb filters, a core", fmt.Sprintf("at least %d", leastRules),
		fmt.Sprintf("%s (%s texts/s, %s)", number(ratio), number(work/we.best()), number(work/they.best())),
		met[ratio >= leastRules],
	}, nil
}

// sampleDocuments are the English sample texts, and a file of them.
func (b *bench) sampleDocuments() (docs []sdk.Document, file string, err error) {
	texts, err := sampleTexts("general/en.jsonl.gz")
	if err != nil {
		return nil, "", err
	}
	for _, text := range texts {
		docs = append(docs, sdk.Document{Text: text, Language: "en"})
	}
	file, err = b.documentFile("documents.jsonl", texts)
	return docs, file, err
}

// documentFile writes texts for a peer.
func (b *bench) documentFile(name string, texts []string) (string, error) {
	var lines []byte
	for _, text := range texts {
		line, err := json.Marshal(map[string]string{"text": text})
		if err != nil {
			return "", err
		}
		lines = append(append(lines, line...), '\n')
	}
	file := filepath.Join(b.temporary, name)
	return file, os.WriteFile(file, lines, 0o600)
}
