package plugin

import (
	"context"
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// answerRequest answers a model request that came as a frame. What goes wrong is answered with a Failure; the request
// has been copied when it returns, so its memory may go away.
func (b *broker) answerRequest(ctx context.Context, kind wire.Kind, model int, request []byte) []byte {
	var out wire.Builder
	answer, err := b.model(ctx, &out, kind, model, request)
	if err != nil {
		return wire.EncodeFailure(new(wire.Builder), err)
	}
	return answer
}

func (b *broker) model(
	ctx context.Context, out *wire.Builder, kind wire.Kind, model int, request []byte,
) ([]byte, error) {
	if model < 0 || model >= len(b.models) {
		return nil, fmt.Errorf("model %d is not granted", model)
	}
	f, err := wire.Parse(request)
	if err != nil {
		return nil, err
	}
	m := b.models[model]
	switch kind {
	case wire.LogLik:
		return relay(ctx, f, wire.DecodeLogLikRequests, m.LogLik, func(a []sdk.LogLik) ([]byte, error) {
			return wire.EncodeLogLiks(out, a)
		})
	case wire.Texts:
		return relay(ctx, f, wire.DecodeTexts, m.Score, func(a [][]float64) ([]byte, error) {
			return wire.EncodeVectors(out, kind, a)
		})
	case wire.Embed:
		return relay(ctx, f, wire.DecodeEmbed, m.Embed, func(a [][]float64) ([]byte, error) {
			return wire.EncodeVectors(out, kind, a)
		})
	}
	return nil, fmt.Errorf("unknown kind of model request %#x", kind)
}

// relay decodes a request, asks the model and encodes its answers.
func relay[Q, A any](
	ctx context.Context, f *wire.Frame, decode func(*wire.Frame) ([]Q, error),
	ask func(context.Context, []Q) ([]A, error), encode func([]A) ([]byte, error),
) ([]byte, error) {
	requests, err := decode(f)
	if err != nil {
		return nil, err
	}
	answers, err := ask(ctx, requests)
	if err != nil {
		return nil, err
	}
	return encode(answers)
}
