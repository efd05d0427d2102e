package run

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
)

// A Replayed is what another reward model says of the answers that a run has recorded.
type Replayed struct {
	Run    string          `json:"run"`
	Plugin string          `json:"plugin"` // name in the recipe
	Entry  string          `json:"entry"`  // of the other one
	SHA256 string          `json:"sha256"` // of its code
	Stages []ReplayedStage `json:"stages"`
	Passed []string        `json:"not_done,omitempty"` // stages that use the plugin and are not done
}

// A ReplayedStage compares the recorded rewards (old) of a file of answers with those of the other model (new).
type ReplayedStage struct {
	Stage string   `json:"stage"`
	File  string   `json:"file"` // in the stage's directory
	By    []string `json:"by"`   // starts of the sha256 of those who judged
	Agreement
	Largest []Disagreement `json:"largest"` // differences, the largest first
}

// A Disagreement is an answer that two reward models see differently.
type Disagreement struct {
	ID     string  `json:"id"`     // of the record
	Answer int     `json:"answer"` // counted from 0
	Old    float64 `json:"old"`
	New    float64 `json:"new"`
}

func (d Disagreement) size() float64 { return math.Abs(d.New - d.Old) }

// How much of a replay is kept.
const (
	replayBatch = 256 // prompts that are judged at once
	mostLargest = 10  // disagreements
)

// Replay lets another plugin judge what the plugin of a name has judged in the stages that are done. Nothing is
// written, and no model is loaded but those that the other plugin asks.
func (p *Process) Replay(ctx context.Context, name, entry string) (*Replayed, error) {
	a, err := p.alternative(name, entry)
	if err != nil {
		return nil, err
	}
	files, waiting, err := p.judgedFiles(name)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no stage that is done was judged by %s (not done: %d)", name, len(waiting))
	}
	judge, err := p.openEntry(ctx, name, a.spec())
	if err != nil {
		return nil, err
	}
	all := &Replayed{Run: p.dir, Plugin: name, Entry: entry, SHA256: judge.Digest(), Passed: waiting}
	for _, f := range files {
		stage, err := p.replay(ctx, f, judge)
		if err != nil {
			return nil, closing(judge, fmt.Errorf("stage %s, %s: %w", f.stage, f.name, err))
		}
		all.Stages = append(all.Stages, stage)
	}
	return all, closing(judge, nil)
}

// A judgedFile holds answers that a plugin has judged.
type judgedFile struct{ stage, name string }

// judgedFiles lists the files of the stages that are done, and the stages that are not.
func (p *Process) judgedFiles(plugin string) (files []judgedFile, waiting []string, err error) {
	for _, stage := range p.recipe.Order() {
		names := p.filesJudgedBy(stage, plugin)
		if len(names) == 0 {
			continue
		}
		done, err := readSummary(p.stageDir(stage))
		if err != nil {
			return nil, nil, err
		}
		if done == nil {
			waiting = append(waiting, stage)
			continue
		}
		for _, name := range names {
			files = append(files, judgedFile{stage, name})
		}
	}
	return files, waiting, nil
}

// filesJudgedBy names the files of answers that a stage gets from a reward plugin.
func (p *Process) filesJudgedBy(stage, plugin string) (names []string) {
	switch st := p.recipe.Stages[stage]; {
	case st.Pairs != nil && st.Pairs.Reward == plugin:
		names = append(names, samplesFile)
	case st.Curate != nil:
		for i, step := range st.Curate.Steps {
			if step.Reward == plugin {
				names = append(names, stepSamples(i+1))
			}
		}
	case st.Evaluate != nil && slices.Contains(st.Evaluate.Rewards, plugin):
		for _, model := range st.Evaluate.Models {
			for _, dataset := range st.Evaluate.Benchmarks {
				names = append(names, answersFile(model, plugin, dataset))
			}
		}
	}
	return names
}

// A replay is a file on its way through another reward model.
type replay struct {
	judge   *openedPlugin
	contest contest
	by      []string
	prompts []judgedPrompt // that wait to be judged
	largest []Disagreement
}

func (p *Process) replay(ctx context.Context, f judgedFile, judge *openedPlugin) (ReplayedStage, error) {
	r := &replay{judge: judge}
	for line, err := range judgedPrompts(filepath.Join(p.stageDir(f.stage), f.name)) {
		if err == nil {
			r.prompts = append(r.prompts, line.judgedPrompt)
			err = r.flush(ctx, replayBatch)
		}
		if err != nil {
			return ReplayedStage{}, err
		}
	}
	if err := r.flush(ctx, 1); err != nil {
		return ReplayedStage{}, err
	}
	return ReplayedStage{f.stage, f.name, r.by, *r.contest.result(), r.largest}, nil
}

// flush judges the prompts that wait, if they are so many.
func (r *replay) flush(ctx context.Context, least int) error {
	if len(r.prompts) < least {
		return nil
	}
	var samples []sdk.Sample
	for i := range r.prompts {
		samples = append(samples, r.prompts[i].samples()...)
	}
	judgements, err := r.judge.Reward(ctx, samples)
	if err != nil {
		return err
	}
	for i := range r.prompts {
		n := r.compare(&r.prompts[i], judgements)
		judgements = judgements[n:]
	}
	r.prompts = r.prompts[:0]
	slices.SortStableFunc(r.largest, func(a, b Disagreement) int { return cmp.Compare(b.size(), a.size()) })
	r.largest = r.largest[:min(len(r.largest), mostLargest)]
	return nil
}

// compare takes the first of the judgements as those of a prompt's answers and returns how many.
func (r *replay) compare(j *judgedPrompt, judgements []sdk.Judgement) (n int) {
	if !slices.Contains(r.by, j.By) {
		r.by = append(r.by, j.By)
	}
	var old []sdk.Judgement
	for i := range j.Answers {
		a := &j.Answers[i]
		if !a.isJudged() {
			continue
		}
		now := judgements[len(old)]
		if old = append(old, a.judgement()); a.Reward != nil && now.Status == sdk.OK {
			r.largest = append(r.largest, Disagreement{j.ID, i, *a.Reward, now.Reward})
		}
	}
	r.contest.add(old, judgements[:len(old)])
	return len(old)
}
