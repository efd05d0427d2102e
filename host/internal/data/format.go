package data

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// A parser turns rows into records as a dataset describes them.
type parser struct {
	ds       recipe.Dataset
	layout   *layout
	source   string
	language string // field that names the language; empty when ds.Language is one
	speakers []speaker
	roles    map[string]sdk.Role
	text     []byte                               // of the record at hand, where it is JSON
	build    func(*parser, fields, *Record) error // nil until the first record has told the format
}

var builders = map[string]func(*parser, fields, *Record) error{
	"text": (*parser).buildText, "rated": (*parser).buildRated,
	"messages": (*parser).buildMessages, "sharegpt": (*parser).buildMessages, "alpaca": (*parser).buildAlpaca,
	"completion": (*parser).buildCompletion, "prompt": (*parser).buildPrompt, "labelled": (*parser).buildLabelled,
	"transcript": (*parser).buildTranscript,
	"preference": (*parser).buildPreference, "choice": (*parser).buildChoice,
}

func newParser(name string, ds recipe.Dataset) (*parser, error) {
	p := &parser{ds: ds, source: ds.Source, roles: rolesWith(ds.Roles)}
	if p.source == "" {
		p.source = name
	}
	if field, ok := strings.CutPrefix(ds.Language, "{"); ok {
		if p.language, ok = strings.CutSuffix(field, "}"); !ok || p.language == "" {
			return nil, fmt.Errorf("language %q: want the name of a field in braces", ds.Language)
		}
	}
	var err error
	if p.speakers, err = newSpeakers(ds.Speakers); err != nil {
		return nil, err
	}
	if ds.Format == "auto" {
		return p, nil
	}
	if err := p.settle(ds.Format); err != nil {
		return nil, err
	}
	if ds.Format == "transcript" && len(p.speakers) == 0 {
		return nil, errors.New("format transcript needs speakers")
	}
	return p, nil
}

// settle gives the records their format.
func (p *parser) settle(format string) (err error) {
	p.ds.Format = format
	if p.layout, err = newLayout(p.ds); err == nil {
		p.build = builders[format]
	}
	return err
}

// record makes a record of a row; an error says why it is malformed.
func (p *parser) record(file string, r row) (*Record, error) {
	if r.bad != nil {
		return nil, r.bad
	}
	if p.build == nil {
		format, err := recognise(r.fields)
		if err == nil {
			err = p.settle(format)
		}
		if err != nil {
			return nil, err
		}
	}
	p.layout.last, p.text = r.fields, r.text
	rec := &Record{Source: p.source, File: file, Line: r.line}
	if err := p.build(p, r.fields, rec); err != nil {
		return nil, err
	}
	var err error
	if rec.Language, err = p.languageOf(r.fields, rec); err != nil {
		return nil, err
	}
	rec.Identify()
	return rec, nil
}

func (p *parser) languageOf(f fields, rec *Record) (string, error) {
	switch {
	case p.language != "":
		v, _ := f.get(p.language)
		text, err := textOf(v)
		if err == nil && text == "" {
			err = fmt.Errorf("language: no field %q", p.language)
		}
		return text, err
	case p.ds.Language == "" || p.ds.Language == "auto":
		return languageOf(rec.body()), nil
	}
	return p.ds.Language, nil
}

func (p *parser) buildText(f fields, rec *Record) (err error) {
	rec.Text, err = p.layout.need(f, "text")
	return err
}

// buildRated reads text and its label, a number.
func (p *parser) buildRated(f fields, rec *Record) error {
	if err := p.buildText(f, rec); err != nil {
		return err
	}
	return p.label(f, rec)
}

// label reads a number, or true and false for 1 and 0, as the score named label.
func (p *parser) label(f fields, rec *Record) error {
	v := p.layout.value(f, "label")
	if v == nil {
		return p.layout.missing(f, "label")
	}
	label, err := numberOf(v)
	if err != nil {
		return fmt.Errorf("label: %w", err)
	}
	rec.Scores = map[string]float32{"label": float32(label)}
	return nil
}

// system returns the turn of a record's system field, if it has one. It stands before every dialogue, and is where a
// record is refused whose dialogue needs more than turns of text.
func (p *parser) system(f fields) ([]sdk.Turn, error) {
	if p.layout.hasTools(f) {
		return nil, errTools
	}
	text, err := p.layout.text(f, "system")
	if text == "" || err != nil {
		return nil, err
	}
	return []sdk.Turn{{Role: sdk.RoleSystem, Text: text}}, nil
}
