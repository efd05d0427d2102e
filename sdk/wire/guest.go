package wire

import (
	"context"
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
)

// A Guest is an instance of a plugin, spoken to in frames. The host runs compiled-in plugins as guests, Serve the
// others. It is not safe for concurrent use.
type Guest struct {
	plugin sdk.Plugin
	tables *Tables
	impl   any
	out    Builder
}

// OpenGuest makes an instance of the plugin with what the frame holds. The instance reaches models by call.
func OpenGuest(p sdk.Plugin, frame []byte, log func(sdk.Level, string), call ModelCall) (*Guest, error) {
	f, err := Parse(frame)
	if err != nil {
		return nil, err
	}
	o, err := DecodeOpening(f)
	if err != nil {
		return nil, err
	}
	models := make(map[string]sdk.Model, len(o.Models))
	for i, grant := range o.Models {
		models[grant.Name] = &remote{index: i, info: grant.Info, call: call}
	}
	return NewGuest(p, sdk.Env{Config: o.Config, Seed: o.Seed, Host: &env{models: models, log: log}})
}

// NewGuest makes an instance of the plugin in the given environment. What it returns answers frames.
func NewGuest(p sdk.Plugin, e sdk.Env) (g *Guest, err error) {
	defer recovered(&err)
	tables, err := NewTables(&p.Manifest)
	if err != nil {
		return nil, err
	}
	impl, err := p.New(e)
	if err != nil {
		return nil, err
	}
	for _, k := range p.Manifest.Kinds {
		if !implements(impl, k) {
			return nil, fmt.Errorf("%T is not a %s, which the manifest says", impl, k)
		}
	}
	return &Guest{plugin: p, tables: tables, impl: impl}, nil
}

// implements tells whether a plugin's implementation has the method of the kind.
func implements(impl any, k sdk.Kind) (does bool) {
	switch k {
	case sdk.KindScorer:
		_, does = impl.(sdk.Scorer)
	case sdk.KindFilter:
		_, does = impl.(sdk.Filter)
	case sdk.KindReward:
		_, does = impl.(sdk.Reward)
	}
	return does
}

// recovered turns a panic into an error, so that one bad record costs its batch and not the instance.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
	}
}

// Run answers a request. The answer is valid until the next call.
func (g *Guest) Run(ctx context.Context, kind Kind, frame []byte) ([]byte, error) {
	return g.answer(ctx, kind, frame, g.plugin.Borrows)
}

// answer answers a request whose texts lie in the frame when it is lent.
func (g *Guest) answer(ctx context.Context, kind Kind, frame []byte, lent bool) (answer []byte, err error) {
	defer recovered(&err)
	f, err := Parse(frame)
	if err != nil {
		return nil, err
	}
	f.lent = lent
	switch kind {
	case Documents:
		return g.score(ctx, f)
	case Dialogues:
		return g.filter(ctx, f)
	case Samples:
		return g.reward(ctx, f)
	}
	return nil, fmt.Errorf("unknown kind of request %#x", kind)
}

func (g *Guest) score(ctx context.Context, f *Frame) ([]byte, error) {
	docs, err := DecodeDocuments(f)
	if err != nil {
		return nil, err
	}
	scorer, ok := g.impl.(sdk.Scorer)
	if !ok {
		return nil, g.lacks(sdk.KindScorer)
	}
	ratings, err := scorer.Score(ctx, docs)
	if err := complete(len(ratings), len(docs), err); err != nil {
		return nil, err
	}
	return g.tables.EncodeRatings(&g.out, f.Batch, ratings)
}

func (g *Guest) filter(ctx context.Context, f *Frame) ([]byte, error) {
	dialogues, err := DecodeDialogues(f)
	if err != nil {
		return nil, err
	}
	filter, ok := g.impl.(sdk.Filter)
	if !ok {
		return nil, g.lacks(sdk.KindFilter)
	}
	verdicts, err := filter.Filter(ctx, dialogues)
	if err := complete(len(verdicts), len(dialogues), err); err != nil {
		return nil, err
	}
	return g.tables.EncodeVerdicts(&g.out, f.Batch, verdicts)
}

func (g *Guest) reward(ctx context.Context, f *Frame) ([]byte, error) {
	samples, err := DecodeSamples(f)
	if err != nil {
		return nil, err
	}
	reward, ok := g.impl.(sdk.Reward)
	if !ok {
		return nil, g.lacks(sdk.KindReward)
	}
	judgements, err := reward.Reward(ctx, samples)
	if err := complete(len(judgements), len(samples), err); err != nil {
		return nil, err
	}
	return g.tables.EncodeJudgements(&g.out, f.Batch, judgements)
}

func (g *Guest) lacks(k sdk.Kind) error {
	return fmt.Errorf("plugin %s is not a %s", g.plugin.Manifest.Name, k)
}

// complete returns the plugin's error, or one of its own when there is not one answer for each record.
func complete(answers, records int, err error) error {
	if err == nil && answers != records {
		err = fmt.Errorf("%d answers to %d records", answers, records)
	}
	return err
}

// Flush asks for the postponed answers at the end of the data: one frame with as many rows as verdicts were postponed,
// none when the plugin is no sdk.Flusher. Only Dialogues are flushed. The answer is valid until the next call.
func (g *Guest) Flush(ctx context.Context, kind Kind) (answer []byte, err error) {
	defer recovered(&err)
	if kind != Dialogues {
		return nil, fmt.Errorf("requests of kind %#x have nothing to flush", kind)
	}
	var verdicts []sdk.Verdict
	if flusher, ok := g.impl.(sdk.Flusher); ok {
		if verdicts, err = flusher.Flush(ctx); err != nil {
			return nil, err
		}
	}
	return g.tables.EncodeVerdicts(&g.out, 0, verdicts)
}
