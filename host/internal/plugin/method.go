package plugin

import (
	"context"
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// A method is one of the three questions: how its records and answers travel.
type method[In, Out any] struct {
	of     sdk.Kind
	kind   wire.Kind
	encode func(*wire.Builder, uint64, []wire.Column, []In) ([]byte, error)
	decode func(*wire.Frame) ([]Out, error)
	name   func(*In) string
	size   func(*In) int // about what a record takes in a frame, in bytes
	fault  func(why string) Out
	status func(*Out) (sdk.Status, string)
}

// Score rates documents: one rating for each, in order. A document on which the plugin fails has status Fault and its
// reason in Detail, until more than the limit have failed: then the error is ErrTooManyFaults.
func (p *Plugin) Score(ctx context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	return ask(ctx, p, method[sdk.Document, sdk.Rating]{
		of: sdk.KindScorer, kind: wire.Documents, encode: wire.EncodeDocuments, decode: p.tables.DecodeRatings,
		name: func(d *sdk.Document) string { return d.ID },
		size: func(d *sdk.Document) int {
			return len(d.ID) + len(d.Text) + len(d.Language) + len(d.Source) + len(d.Meta)
		},
		fault:  p.tables.FaultyRating,
		status: func(r *sdk.Rating) (sdk.Status, string) { return r.Status, r.Detail },
	}, docs)
}

// Filter judges dialogues, as Score rates documents. A stateful plugin may answer Later: Finish returns those verdicts.
func (p *Plugin) Filter(ctx context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	verdicts, err := ask(ctx, p, method[sdk.Dialogue, sdk.Verdict]{
		of: sdk.KindFilter, kind: wire.Dialogues, encode: wire.EncodeDialogues, decode: p.decodeVerdicts,
		name:   func(d *sdk.Dialogue) string { return d.ID },
		size:   func(d *sdk.Dialogue) int { return len(d.ID) + turnBytes(d.Turns) + len(d.Language) + len(d.Source) },
		fault:  wire.FaultyVerdict,
		status: func(v *sdk.Verdict) (sdk.Status, string) { return v.Status, v.Detail },
	}, dialogues)
	for i := range verdicts {
		if verdicts[i].Status == sdk.OK && verdicts[i].Action == sdk.Later {
			p.postponed.Add(1)
		}
	}
	return verdicts, err
}

// Reward judges answers, as Score rates documents.
func (p *Plugin) Reward(ctx context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	return ask(ctx, p, method[sdk.Sample, sdk.Judgement]{
		of: sdk.KindReward, kind: wire.Samples, encode: wire.EncodeSamples, decode: p.tables.DecodeJudgements,
		name:   func(s *sdk.Sample) string { return s.ID },
		size:   func(s *sdk.Sample) int { return len(s.ID) + turnBytes(s.History) + len(s.Response) + len(s.Reference) },
		fault:  p.tables.FaultyJudgement,
		status: func(j *sdk.Judgement) (sdk.Status, string) { return j.Status, j.Detail },
	}, samples)
}

func turnBytes(turns []sdk.Turn) int {
	n := 0
	for i := range turns {
		n += len(turns[i].Text) + 5
	}
	return n
}

func (p *Plugin) stateful() bool { return p.info.Manifest.Purity == sdk.Stateful }

// decodeVerdicts makes faults of verdicts that are postponed by a plugin that cannot say when they are due.
func (p *Plugin) decodeVerdicts(f *wire.Frame) ([]sdk.Verdict, error) {
	verdicts, err := p.tables.DecodeVerdicts(f)
	for i := range verdicts {
		if verdicts[i].Action == sdk.Later && !p.stateful() {
			verdicts[i] = wire.FaultyVerdict("the plugin postpones its verdict and is not declared stateful")
		}
	}
	return verdicts, err
}

// Finish tells a stateful filter that the data has ended and returns the verdicts that it has postponed, in the order
// in which they were. Other plugins have none. After it the plugin is at the start of new data.
func (p *Plugin) Finish(ctx context.Context) ([]sdk.Verdict, error) {
	if !p.stateful() || !slices.Contains(p.info.Manifest.Kinds, sdk.KindFilter) {
		return nil, nil
	}
	p.order.Lock()
	defer p.order.Unlock()
	verdicts, err := p.flush(ctx)
	if err == nil && int64(len(verdicts)) != p.postponed.Load() {
		err = fmt.Errorf("%d verdicts for the %d that were postponed", len(verdicts), p.postponed.Load())
	}
	if err != nil {
		p.lost.Store(true)
		return nil, fmt.Errorf("plugin %s: finish: %w", p.name, err)
	}
	p.postponed.Store(0)
	return verdicts, nil
}

// FilterAll judges all dialogues of the data: it is Filter with the postponed verdicts of Finish in their places.
func (p *Plugin) FilterAll(ctx context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	verdicts, err := p.Filter(ctx, dialogues)
	if err != nil {
		return nil, err
	}
	late, err := p.Finish(ctx)
	if err != nil {
		return nil, err
	}
	for i := range verdicts {
		if verdicts[i].Status == sdk.OK && verdicts[i].Action == sdk.Later {
			verdicts[i], late = late[0], late[1:]
		}
	}
	return verdicts, nil
}
