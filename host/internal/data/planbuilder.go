package data

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A planBuilder makes a Plan.
type planBuilder struct {
	*Plan
	options   PlanOptions
	refs      shares // sources of the mix
	languages shares // empty when none are wanted
	fitter    fitter
	packer    packer
	mixed     map[[2]string]*cell // by source and language; by source only when no shares of languages are wanted
}

// encodeChunk is how many records are held as tokens outside the plan.
const encodeChunk = 4096

func newPlanBuilder(o PlanOptions) (*planBuilder, error) {
	spec := o.Train
	b := &planBuilder{Plan: &Plan{batch: spec.BatchSize, objective: spec.Objective}, options: o}
	b.mixed = map[[2]string]*cell{}
	b.width = spec.SequenceLen
	if b.width == 0 {
		b.width = o.Context
	}
	if b.width > o.Context {
		return nil, fmt.Errorf("sequence_len %d is more than the model's context of %d", b.width, o.Context)
	}
	if set := b2i(spec.Tokens > 0) + b2i(spec.Epochs > 0) + b2i(spec.Steps > 0); set != 1 || spec.BatchSize < 1 {
		return nil, errors.New("want batch_size and exactly one of tokens, epochs and steps")
	}
	b.shift = shifted(spec.Objective)
	b.labelled = spec.Objective == "regression" || spec.Objective == "classification"
	b.packer.width = int32(b.width)
	var err error
	if b.fitter, err = newFitter(&b.store, spec, b.width); err != nil {
		return nil, err
	}
	if b.refs, err = newShares(spec.Data.Mix); err != nil {
		return nil, fmt.Errorf("mix: %w", err)
	}
	if b.languages, err = newShares(spec.Data.Language); err != nil {
		return nil, fmt.Errorf("language: %w", err)
	}
	return b, nil
}

// source encodes and lays out the records of source number i.
func (b *planBuilder) source(ctx context.Context, i int, records []*Record, e encoder) error {
	var total Tally
	for chunk := range slices.Chunk(records, encodeChunk) {
		all, err := e.encodeAll(ctx, chunk)
		if err != nil {
			return err
		}
		for j, r := range chunk {
			t, err := b.record(b.refs.names[i], r, all[j])
			if err != nil {
				return err
			}
			total.add(t)
		}
	}
	if err := total.check(); err != nil {
		return err
	}
	if b.options.Train.Objective == "next_token" && b.options.Train.Answers() {
		return total.checkMask()
	}
	if total.Trained == 0 {
		return fmt.Errorf("all of its %d tokens are dropped: too long, without a label, or a share for their language",
			total.In)
	}
	return nil
}

// record lays out one record and makes its units drawable.
func (b *planBuilder) record(source string, r *Record, e encoded) (Tally, error) {
	at := b.report.cell(source, r.Language)
	wanted := len(b.languages.names) == 0 || slices.Contains(b.languages.names, r.Language)
	e.absent = e.absent || !wanted
	first := len(b.sequences)
	t, err := b.fitter.place(e, origin{r, int32(at)})
	if err != nil {
		return t, err
	}
	b.report.Cells[at].add(t)
	added := b.sequences[first:]
	if per := len(e.pieces); per == 2 && len(added) != 0 && len(added) != per {
		panic(fmt.Sprintf("data: a pair became %d sequences", len(added)))
	}
	for i := 0; i < len(added); i += len(e.pieces) {
		size := int32(0)
		for _, s := range added[i : i+len(e.pieces)] {
			size += s.length
		}
		b.mixedCell(source, r.Language).add(int32(first+i), size)
	}
	return t, nil
}

func (b *planBuilder) mixedCell(source, language string) *cell {
	key := [2]string{source, language}
	if len(b.languages.names) == 0 {
		key[1] = ""
	}
	if b.mixed[key] == nil {
		b.mixed[key] = &cell{name: key[0] + " " + key[1]}
	}
	return b.mixed[key]
}

// mixer gives each cell its share.
func (b *planBuilder) mixer() (*mixer, error) {
	languages := b.languages
	if len(languages.names) == 0 {
		languages = shares{names: []string{""}, part: []float64{1}}
	}
	tokens := make([][]int64, len(b.refs.names))
	for i, source := range b.refs.names {
		tokens[i] = make([]int64, len(languages.names))
		for j, language := range languages.names {
			if c := b.mixed[[2]string{source, language}]; c != nil {
				tokens[i][j] = c.pass
			}
		}
	}
	for j, language := range languages.names {
		if !slices.ContainsFunc(tokens, func(row []int64) bool { return row[j] > 0 }) {
			return nil, fmt.Errorf("shares: no source has tokens to train in language %s", language)
		}
	}
	table, err := fitShares(tokens, b.refs, languages)
	if err != nil {
		return nil, err
	}
	m := &mixer{seed: b.options.Seed}
	for i, source := range b.refs.names {
		for j, language := range languages.names {
			if c := b.mixed[[2]string{source, language}]; c != nil {
				c.share = table[i][j]
				m.cells = append(m.cells, c)
			}
		}
	}
	return m, nil
}

// draw fills the rows until the stage has its length.
func (b *planBuilder) draw(ctx context.Context) error {
	m, err := b.mixer()
	if err != nil {
		return err
	}
	spec := b.options.Train
	enough := func() bool { return b.packer.rows.len() >= spec.Steps*spec.BatchSize }
	switch {
	case spec.Epochs > 0 && len(m.cells) == 1:
		enough = b.passes(m.cells[0], spec.Epochs)
	case spec.Epochs > 0:
		total := int64(0)
		for _, c := range m.cells {
			total += c.pass
		}
		enough = func() bool { return float64(m.drawn) >= spec.Epochs*float64(total) }
	case spec.Tokens > 0:
		enough = func() bool { return float64(m.drawn) >= spec.Tokens }
	}
	for draws := 0; !enough(); draws++ {
		if draws%encodeChunk == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b.take(m.draw())
	}
	b.packer.flush()
	b.rows = b.packer.rows
	if spec.Steps > 0 {
		b.rows.cut(spec.Steps * spec.BatchSize)
	}
	return nil
}

// passes ends after so many passes over the only cell. Rows do not reach across the end of a pass.
func (b *planBuilder) passes(c *cell, epochs float64) func() bool {
	whole, part := math.Modf(epochs)
	return func() bool {
		if c.at == len(c.order) {
			b.packer.flush()
		}
		rest := float64(c.drawn) - whole*float64(c.pass)
		return rest >= part*float64(c.pass)
	}
}

// take puts a unit into the rows: packed, or as a row of its own.
func (b *planBuilder) take(unit, size int32) {
	spec := b.options.Train
	switch packing := spec.Packing == nil || *spec.Packing; {
	case pairs(spec.Objective):
		b.packer.rows.add(unit, unit+1)
	case spec.Objective == "next_token" && packing:
		b.packer.add(unit, size)
	default:
		b.packer.rows.add(unit)
	}
}

// finish computes the report and the digest.
func (b *planBuilder) finish() {
	b.report.fill(b)
	h := sha256.New()
	hashString(h, b.objective)
	var sequences []int64
	for _, s := range b.sequences {
		sequences = append(sequences, int64(s.from), int64(s.length), int64(math.Float32bits(s.label)))
	}
	for _, part := range []any{int64(b.batch), b.tokens, b.learned, sequences, b.rows.sequences, b.rows.starts} {
		binary.Write(h, binary.LittleEndian, part)
	}
	b.digest = hex.EncodeToString(h.Sum(nil))
}
