package sdktest

import (
	"context"
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// Open opens a plugin as it is compiled in, spoken to in frames, with a Model for each model that its manifest
// requests.
func Open(p sdk.Plugin, c Case) (Subject, error) {
	config := c.Config
	if config == "" {
		config = "{}"
	}
	tables, err := wire.NewTables(&p.Manifest)
	if err != nil {
		return nil, err
	}
	guest, err := wire.NewGuest(p, sdk.Env{Config: []byte(config), Seed: c.Seed, Host: host{p.Manifest}})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", p.Manifest.Name, err)
	}
	return &local{guest: guest, tables: tables, columns: p.Manifest.Columns}, nil
}

// host is the sdk.Host of plugins under test.
type host struct{ manifest sdk.Manifest }

func (h host) Model(name string) (sdk.Model, error) {
	if !slices.Contains(h.manifest.Capabilities, "model:"+name) {
		return nil, fmt.Errorf("model %q is not requested", name)
	}
	return &Model{Name: name}, nil
}

func (h host) Log(sdk.Level, string) {}

// local is a plugin that is compiled in.
type local struct {
	guest   *wire.Guest
	tables  *wire.Tables
	columns []string
	b       wire.Builder
}

func (l *local) Score(ctx context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	frame, err := wire.EncodeDocuments(&l.b, 0, wire.ColumnsOf(wire.Documents, l.columns), docs)
	return exchange(ctx, l, wire.Documents, frame, err, l.tables.DecodeRatings)
}

func (l *local) Filter(ctx context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	frame, err := wire.EncodeDialogues(&l.b, 0, wire.ColumnsOf(wire.Dialogues, l.columns), dialogues)
	return exchange(ctx, l, wire.Dialogues, frame, err, l.tables.DecodeVerdicts)
}

func (l *local) Reward(ctx context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	frame, err := wire.EncodeSamples(&l.b, 0, wire.ColumnsOf(wire.Samples, l.columns), samples)
	return exchange(ctx, l, wire.Samples, frame, err, l.tables.DecodeJudgements)
}

func (l *local) Finish(ctx context.Context) ([]sdk.Verdict, error) {
	answer, err := l.guest.Flush(ctx, wire.Dialogues)
	return received(answer, err, l.tables.DecodeVerdicts)
}

// exchange asks with a frame whose encoding may have failed. The frame is wiped: a plugin that borrows keeps nothing.
func exchange[T any](
	ctx context.Context, l *local, kind wire.Kind, frame []byte, err error, decode func(*wire.Frame) ([]T, error),
) ([]T, error) {
	if err != nil {
		return nil, err
	}
	answer, err := l.guest.Run(ctx, kind, frame)
	clear(frame)
	return received(answer, err, decode)
}

func received[T any](answer []byte, err error, decode func(*wire.Frame) ([]T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	f, err := wire.Parse(answer)
	if err != nil {
		return nil, err
	}
	return decode(f)
}
