package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"os"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/sdk"
)

// A judgedPrompt is a prompt with its answers and what a reward plugin gave them: a line of samples.jsonl and its like,
// which replay reads.
type judgedPrompt struct {
	ID        string         `json:"id"` // of the record
	Prompt    []promptTurn   `json:"prompt"`
	Reference string         `json:"reference,omitempty"`
	By        string         `json:"by"` // start of the sha256 of the plugin's code
	Answers   []judgedAnswer `json:"answers"`
}

type promptTurn struct {
	Role string `json:"role"`
	Text string `json:"text"`
}

// A judgedAnswer has a status of plugin.StatusName, or why it was not judged.
type judgedAnswer struct {
	Text   string             `json:"text"`
	Cut    bool               `json:"cut,omitempty"` // it had not ended when it reached its most tokens
	Status string             `json:"status"`
	Reward *float64           `json:"reward"` // null unless the status is ok
	Parts  map[string]float64 `json:"parts,omitempty"`
	Detail string             `json:"detail,omitempty"`
}

// The statuses of answers that are not judged.
const (
	statusEmpty     = "empty"
	statusDuplicate = "duplicate" // of an earlier answer to the same prompt
)

// The statuses of answers that were.
var (
	statusOK      = plugin.StatusName(sdk.OK)
	statusAbstain = plugin.StatusName(sdk.Abstain)
	statusFault   = plugin.StatusName(sdk.Fault)
)

// judged puts the samples of one prompt and their judgements together; by is the digest of the plugin's code.
func judged(samples []sdk.Sample, judgements []sdk.Judgement, by string) judgedPrompt {
	j := newJudged(samples[0], by)
	for i, s := range samples {
		a := judgedAnswer{Text: s.Response}
		a.take(judgements[i])
		j.Answers = append(j.Answers, a)
	}
	return j
}

// newJudged is the prompt of a sample, without answers.
func newJudged(s sdk.Sample, by string) judgedPrompt {
	return judgedPrompt{ID: s.ID, Prompt: promptTurns(s.History), Reference: s.Reference, By: by[:16]}
}

func promptTurns(turns []sdk.Turn) []promptTurn {
	all := make([]promptTurn, len(turns))
	for i, t := range turns {
		all[i] = promptTurn{string(t.Role), t.Text}
	}
	return all
}

func (a *judgedAnswer) take(j sdk.Judgement) {
	a.Status, a.Detail = plugin.StatusName(j.Status), j.Detail
	if j.Status == sdk.OK {
		a.Reward, a.Parts = &j.Reward, maps.Clone(j.Parts)
	}
	maps.DeleteFunc(a.Parts, func(_ string, v float64) bool { return math.IsNaN(v) })
}

// isJudged reports whether the plugin was asked.
func (a *judgedAnswer) isJudged() bool { return a.Status != statusEmpty && a.Status != statusDuplicate }

// judgement is what the plugin said of an answer that is judged.
func (a *judgedAnswer) judgement() sdk.Judgement {
	switch {
	case a.Reward != nil:
		return sdk.Judgement{Reward: *a.Reward}
	case a.Status == statusAbstain:
		return sdk.Judgement{Status: sdk.Abstain, Reward: math.NaN(), Detail: a.Detail}
	}
	return sdk.Judgement{Status: sdk.Fault, Reward: math.NaN(), Detail: a.Detail}
}

func (j *judgedPrompt) turns() []sdk.Turn {
	all := make([]sdk.Turn, len(j.Prompt))
	for i, t := range j.Prompt {
		all[i] = sdk.Turn{Role: sdk.Role(t.Role), Text: t.Text}
	}
	return all
}

// samples are the answers that are judged, as a plugin sees them.
func (j *judgedPrompt) samples() (all []sdk.Sample) {
	history := j.turns()
	for _, a := range j.Answers {
		if a.isJudged() {
			all = append(all, sdk.Sample{ID: j.ID, History: history, Response: a.Text, Reference: j.Reference})
		}
	}
	return all
}

// maxLine bounds a line of a file of judged prompts, in bytes.
const maxLine = 64 << 20

// judgedPrompts reads a file of judged prompts line by line. A last line that a killed process left unfinished ends it,
// a line that is none ends it with an error.
func judgedPrompts(path string) iter.Seq2[judgedLine, error] {
	return func(yield func(judgedLine, error) bool) {
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if err != nil {
			yield(judgedLine{}, err)
			return
		}
		defer f.Close()
		readJudged(f, func(l judgedLine, err error) bool {
			if err != nil {
				err = fmt.Errorf("read %s: %w", path, err)
			}
			return yield(l, err)
		})
	}
}

// A judgedLine is a judged prompt and where its line ends in the file.
type judgedLine struct {
	judgedPrompt
	end int64
}

func readJudged(r io.Reader, yield func(judgedLine, error) bool) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	lines.Split(wholeLines)
	end := int64(0)
	for n := 1; lines.Scan(); n++ {
		end += int64(len(lines.Bytes()) + 1)
		l := judgedLine{end: end}
		if err := json.Unmarshal(lines.Bytes(), &l.judgedPrompt); err != nil {
			yield(l, fmt.Errorf("line %d: %w", n, err))
			return
		}
		if !yield(l, nil) {
			return
		}
	}
	if err := lines.Err(); err != nil {
		yield(judgedLine{}, err)
	}
}

// wholeLines splits into lines that end with a line break; what follows the last one is none.
func wholeLines(text []byte, atEOF bool) (advance int, line []byte, err error) {
	switch i := bytes.IndexByte(text, '\n'); {
	case i >= 0:
		return i + 1, text[:i], nil
	case atEOF:
		return len(text), nil, nil
	}
	return 0, nil, nil
}

// A sampleLog is the file of judged prompts of a stage that is on its way, and its progress: what is in it is not done
// again.
type sampleLog struct{ file *os.File }

// openSampleLog goes on after the whole lines of a file. It returns how many there are.
func openSampleLog(path string) (log *sampleLog, lines int, err error) {
	end := int64(0)
	for l, err := range judgedPrompts(path) {
		if err != nil {
			return nil, 0, err
		}
		lines, end = lines+1, l.end
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, 0, err
	}
	_, seekErr := f.Seek(end, io.SeekStart)
	if err := errors.Join(f.Truncate(end), seekErr); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("go on with %s: %w", path, err), f.Close())
	}
	return &sampleLog{f}, lines, nil
}

// add appends lines; when it returns, they last.
func (l *sampleLog) add(prompts []judgedPrompt) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, p := range prompts {
		if err := enc.Encode(p); err != nil {
			return err
		}
	}
	if _, err := l.file.Write(out.Bytes()); err != nil {
		return err
	}
	return l.file.Sync()
}

func (l *sampleLog) close() error { return l.file.Close() }
