package author

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/sdktest/standin"
)

// Conform asks a plugin awkward records and returns what breaks the contract: records that it fails on, and answers
// that depend on how the records are cut into batches or are not the same a second time.
func Conform(ctx context.Context, spec plugin.Spec) (problems []string, err error) {
	records := standin.Awkward()
	spec.Plugin.Limits.Faults = len(records.Documents) + len(records.Dialogues) + len(records.Samples)
	first, err := askAll(ctx, spec, records)
	if err != nil {
		return nil, err
	}
	again, err := askAll(ctx, spec, records)
	if err != nil {
		return nil, err
	}
	spec.Plugin.Limits.Batch = 1
	singly, err := askAll(ctx, spec, records)
	if err != nil {
		return nil, err
	}
	for i, a := range first {
		problems = append(problems, a.problems(again[i], singly[i])...)
	}
	return problems, nil
}

func (a answered) problems(again, singly answered) []string {
	differs := func(when string, other answered) []string {
		return []string{fmt.Sprintf("%s: another answer %s:\n  %s\n  %s", a.record, when, a.text, other.text)}
	}
	switch {
	case a.fault != "":
		return []string{a.record + ": fault: " + a.fault}
	case a.text != again.text:
		return differs("the second time", again)
	case a.text != singly.text:
		return differs("when it is asked alone", singly)
	}
	return nil
}

// An answered record. The text of an answer says all of it, to the last bit.
type answered struct{ record, text, fault string }

// askAll opens the plugin and asks the records of the kinds that it takes.
func askAll(ctx context.Context, spec plugin.Spec, r standin.Records) (all []answered, err error) {
	p, err := plugin.Open(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for _, kind := range p.Manifest().Kinds {
		answers, err := askKind(ctx, p, kind, r)
		if err != nil {
			return nil, err
		}
		all = append(all, answers...)
	}
	return all, nil
}

func askKind(ctx context.Context, p *plugin.Plugin, kind sdk.Kind, r standin.Records) ([]answered, error) {
	switch kind {
	case sdk.KindScorer:
		ratings, err := p.Score(ctx, r.Documents)
		return answers(ratings, func(i int) (string, sdk.Status, string) {
			return "document " + r.Documents[i].ID, ratings[i].Status, ratings[i].Detail
		}), err
	case sdk.KindFilter:
		verdicts, err := p.FilterAll(ctx, r.Dialogues)
		return answers(verdicts, func(i int) (string, sdk.Status, string) {
			return "dialogue " + r.Dialogues[i].ID, verdicts[i].Status, verdicts[i].Detail
		}), err
	}
	judgements, err := p.Reward(ctx, r.Samples)
	return answers(judgements, func(i int) (string, sdk.Status, string) {
		return "sample " + r.Samples[i].ID, judgements[i].Status, judgements[i].Detail
	}), err
}

// answers writes answers as text; about names the record of one, its status and its detail.
func answers[T any](all []T, about func(i int) (string, sdk.Status, string)) []answered {
	texts := make([]answered, len(all))
	for i := range all {
		record, status, detail := about(i)
		texts[i] = answered{record: record, text: fmt.Sprintf("%+v", all[i])}
		if status == sdk.Fault {
			texts[i].fault = detail
		}
	}
	return texts
}

// StandIns binds a stand-in to every model that the plugin asks for, so that it opens without a run. Their answers mean
// nothing, but are the same for the same request.
func StandIns(spec *plugin.Spec, m sdk.Manifest) {
	for _, capability := range m.Capabilities {
		name, model := strings.CutPrefix(capability, "model:")
		if !model {
			continue
		}
		if spec.Models == nil {
			spec.Models, spec.Plugin.Models = map[string]sdk.Model{}, map[string]string{}
		}
		spec.Models[name], spec.Plugin.Models[name] = &standin.Model{Name: name}, "stand-in"
	}
}
