package wire

import (
	"context"
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
)

// A ModelCall carries a model request to the host and returns the answer, which has at most capacity bytes or is a
// Failure. The answer is the caller's. It is safe for concurrent use.
type ModelCall func(ctx context.Context, kind Kind, model int, request []byte, capacity int) ([]byte, error)

// env is the sdk.Host of a guest that reaches the host by frames.
type env struct {
	models map[string]sdk.Model
	log    func(sdk.Level, string)
}

func (e *env) Model(name string) (sdk.Model, error) {
	if m, ok := e.models[name]; ok {
		return m, nil
	}
	return nil, fmt.Errorf("model %q is not granted", name)
}

func (e *env) Log(level sdk.Level, message string) { e.log(level, message) }

// remote is the sdk.Model of such a guest.
type remote struct {
	index int
	info  sdk.ModelInfo
	call  ModelCall
}

func (m *remote) Info() sdk.ModelInfo { return m.info }

func (m *remote) LogLik(ctx context.Context, requests []sdk.LogLikRequest) ([]sdk.LogLik, error) {
	size := func(r sdk.LogLikRequest) int {
		return turnBytes(r.Context) + turnBytes(r.Context2) + len(r.Continuation)
	}
	return inParts(requests, 20, size, func(b *Builder, part []sdk.LogLikRequest, capacity int) ([]sdk.LogLik, error) {
		frame, err := EncodeLogLikRequests(b, part)
		if err != nil {
			return nil, err
		}
		answer, err := m.ask(ctx, LogLik, frame, len(part), capacity)
		if err != nil {
			return nil, err
		}
		return DecodeLogLiks(answer)
	})
}

func (m *remote) Score(ctx context.Context, texts [][]sdk.Turn) ([][]float64, error) {
	ask := func(b *Builder, part [][]sdk.Turn, capacity int) ([][]float64, error) {
		frame, err := EncodeTexts(b, part)
		return m.vectors(ctx, Texts, frame, err, len(part), capacity)
	}
	return inParts(texts, 8*m.info.Outputs, turnBytes, ask)
}

func (m *remote) Embed(ctx context.Context, texts []string) ([][]float64, error) {
	size := func(s string) int { return len(s) }
	ask := func(b *Builder, part []string, capacity int) ([][]float64, error) {
		frame, err := EncodeEmbed(b, part)
		return m.vectors(ctx, Embed, frame, err, len(part), capacity)
	}
	return inParts(texts, 8*m.info.Hidden, size, ask)
}

// vectors asks with a frame whose encoding may have failed.
func (m *remote) vectors(
	ctx context.Context, k Kind, frame []byte, err error, rows, capacity int,
) ([][]float64, error) {
	if err != nil {
		return nil, err
	}
	answer, err := m.ask(ctx, k, frame, rows, capacity)
	if err != nil {
		return nil, err
	}
	return DecodeVectors(answer, k)
}

// ask calls the host and checks that the answer has the rows of the request.
func (m *remote) ask(ctx context.Context, kind Kind, frame []byte, rows, capacity int) (*Frame, error) {
	answer, err := m.call(ctx, kind, m.index, frame, capacity)
	if err != nil {
		return nil, err
	}
	f, err := Parse(answer)
	switch {
	case err != nil:
		return nil, err
	case f.failure() != nil:
		return nil, f.failure()
	case f.Rows != rows:
		return nil, fmt.Errorf("%d answers of the model to %d requests", f.Rows, rows)
	}
	return f, nil
}

// Bounds of one model request. A longer list is asked in parts; answers do not depend on how.
const (
	partRows  = 4096
	partBytes = 4 << 20
)

// Sizes that bound an answer: the header, the directory and the padding of its columns; a row's offsets and its
// Failure.
const (
	answerBase = 4096
	answerRow  = 4
)

// inParts asks for the items in parts that fit a frame, in order. size is about what an item takes in the request,
// answer what a row takes at most in the answer; ask gets a part and the bytes that its answer has at most.
func inParts[T, A any](
	items []T, answer int, size func(T) int, ask func(*Builder, []T, int) ([]A, error),
) ([]A, error) {
	answers := make([]A, 0, len(items))
	var b Builder
	for len(items) > 0 {
		n, bytes := 0, 0
		for n < len(items) && n < partRows {
			bytes += size(items[n]) + answer
			if n++; bytes > partBytes {
				break
			}
		}
		part, err := ask(&b, items[:n], answerBase+n*(answer+answerRow))
		if err != nil {
			return nil, err
		}
		answers, items = append(answers, part...), items[n:]
	}
	return answers, nil
}

func turnBytes(turns []sdk.Turn) int {
	n := 0
	for i := range turns {
		n += len(turns[i].Text) + 5
	}
	return n
}

var (
	_ sdk.Host  = (*env)(nil)
	_ sdk.Model = (*remote)(nil)
)
