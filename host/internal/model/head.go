package model

import (
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// ends are the parameters behind the transformer, as far as the model has them.
type ends struct {
	lm    *tensor.Param // logits of the next token
	limit float32       // that these are bent to; 0 is none
	dense linear        // encoders: before tanh
	out   linear        // outputs of a sequence
}

func (l *layout) ends(c Config, head Head, embed *tensor.Param) ends {
	before := len(l.parts)
	e := ends{limit: float32(c.LogitLimit)}
	switch {
	case head == HeadLM && c.TieWordEmbeddings:
		e.lm = embed
	case head == HeadLM:
		e.lm = l.matrix("lm_head.weight", c.VocabSize, c.HiddenSize)
	case head == HeadClassify && c.arch().decoder:
		e.out = l.linear("score", c.HiddenSize, false, slice{"score", c.NumLabels})
	case head == HeadClassify && c.ModelType == Roberta:
		e.dense = l.dense("classifier.dense", c.HiddenSize, c.HiddenSize)
		e.out = l.dense("classifier.out_proj", c.NumLabels, c.HiddenSize)
	case head == HeadClassify:
		e.dense = l.dense(l.prefix+"pooler.dense", c.HiddenSize, c.HiddenSize)
		e.out = l.dense("classifier", c.NumLabels, c.HiddenSize)
	}
	if head == HeadClassify {
		l.markHead(before)
	}
	return e
}

// Logits are the scores of every token of the vocabulary after each row, [T, vocab]. The model must have the
// language-model head.
func (m *Model) Logits(t *tensor.Tape, hidden *tensor.Tensor) *tensor.Tensor {
	if m.ends.lm == nil {
		return failed(t, fmt.Errorf("Logits: the model's head is %s, not %s", m.head, HeadLM))
	}
	logits := t.Scores(hidden, m.ends.lm, nil)
	if limit := m.ends.limit; limit > 0 {
		logits = t.Scale(t.Tanh(t.Scale(logits, 1/limit)), limit)
	}
	return logits
}

// TokenNLL is the negative log-likelihood of each target given the tokens up to its row, [T,1]; target -1 gives 0. The
// model must have the language-model head.
func (m *Model) TokenNLL(t *tensor.Tape, hidden *tensor.Tensor, targets []int32) *tensor.Tensor {
	if err := m.checkTargets("TokenNLL", targets); err != nil {
		return failed(t, err)
	}
	if !m.counted.of(targets, nil) {
		return t.HeadLoss(hidden, m.ends.lm, t.Ints(targets), m.ends.limit)
	}
	rows := t.Ints(m.counted.rows)
	nll := t.HeadLoss(t.Gather(hidden, rows), m.ends.lm, t.Ints(m.counted.targets), m.ends.limit)
	return t.Scatter(nll, rows, len(targets))
}

// LearnTokens is TokenNLL on a recording tape whose gradient, a number for each row, is known beforehand. Backward needs
// no seed for it.
func (m *Model) LearnTokens(
	t *tensor.Tape, hidden *tensor.Tensor, targets []int32, gradient []float32,
) *tensor.Tensor {
	if err := m.checkTargets("LearnTokens", targets); err != nil {
		return failed(t, err)
	}
	if len(gradient) != len(targets) || !m.counted.of(targets, gradient) {
		return t.HeadLearn(hidden, m.ends.lm, t.Ints(targets), gradient, m.ends.limit)
	}
	c := &m.counted
	rows := t.Ints(c.rows)
	nll := t.HeadLearn(t.Gather(hidden, rows), m.ends.lm, t.Ints(c.targets), c.gradient, m.ends.limit)
	return t.Scatter(nll, rows, len(targets))
}

// counted are the rows that have a target, in memory that every pass uses again.
type counted struct {
	rows, targets []int32
	gradient      []float32
}

// of finds them, and says whether they are so few that the head is to see them alone. That takes no more memory than
// the head's gradient of all rows does as long as they are half of them.
func (c *counted) of(targets []int32, gradient []float32) bool {
	c.rows, c.targets, c.gradient = c.rows[:0], c.targets[:0], c.gradient[:0]
	for i, id := range targets {
		if id < 0 {
			continue
		}
		c.rows, c.targets = append(c.rows, int32(i)), append(c.targets, id)
		if gradient != nil {
			c.gradient = append(c.gradient, gradient[i])
		}
	}
	return len(c.rows) > 0 && len(c.rows) <= len(targets)/2
}

func (m *Model) checkTargets(op string, targets []int32) error {
	if m.ends.lm == nil {
		return fmt.Errorf("%s: the model's head is %s, not %s", op, m.head, HeadLM)
	}
	for i, id := range targets {
		if id < -1 || int(id) >= m.cfg.VocabSize {
			return fmt.Errorf("%s: target %d of row %d is not in the vocabulary of %d", op, id, i, m.cfg.VocabSize)
		}
	}
	return nil
}

// Outputs are those of the classification head for each sequence, [sequences, NumLabels]: a decoder reads its last
// token, an encoder its first.
func (m *Model) Outputs(t *tensor.Tape, hidden *tensor.Tensor, in Input) *tensor.Tensor {
	if m.ends.out.weight == nil {
		return failed(t, fmt.Errorf("Outputs: the model's head is %s, not %s", m.head, HeadClassify))
	}
	x := t.Gather(hidden, t.Ints(m.readRows(in.Offsets)))
	if m.ends.dense.weight != nil {
		x = t.Tanh(m.ends.dense.apply(t, x))
	}
	return t.Scores(x, m.ends.out.weight, m.ends.out.bias)
}

// readRows are the rows that speak for their sequences.
func (m *Model) readRows(offsets []int32) []int32 { return m.endRows(offsets, m.decoder != nil) }

// endRows are the first or the last rows of sequences.
func (m *Model) endRows(offsets []int32, last bool) []int32 {
	if len(offsets) == 0 {
		return nil
	}
	rows := resized(m.indices.rows, len(offsets)-1)
	m.indices.rows = rows
	for i := range rows {
		rows[i] = offsets[i]
		if last {
			rows[i] = offsets[i+1] - 1
		}
	}
	return rows
}

func failed(t *tensor.Tape, err error) *tensor.Tensor {
	t.Fail(err)
	return &tensor.Tensor{}
}
