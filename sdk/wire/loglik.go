package wire

import "github.com/carebot-llm/carebot/sdk"

// EncodeLogLikRequests writes a model request for likelihoods. A second context that is nil is marked as absent.
func EncodeLogLikRequests(b *Builder, requests []sdk.LogLikRequest) ([]byte, error) {
	n := len(requests)
	b.Begin(LogLik, n, 7, 0)
	if err := b.turns(contextOf, n, func(i int) []sdk.Turn { return requests[i].Context }); err != nil {
		return nil, err
	}
	second := func(i int) []sdk.Turn { return requests[i].Context2 }
	b.list(ColContext2, n, func(i int) int { return len(second(i)) })
	b.valid(n, func(i int) bool { return second(i) != nil })
	if err := b.turnChildren(context2Of, n, second); err != nil {
		return nil, err
	}
	b.texts(ColContinuation, n, func(i int) string { return requests[i].Continuation })
	return b.Finish()
}

// DecodeLogLikRequests reads a model request for likelihoods.
func DecodeLogLikRequests(f *Frame) ([]sdk.LogLikRequest, error) {
	f.expect(LogLik)
	f.require(ColContext, ColContinuation)
	first, second := f.turns(contextOf, f.Rows), f.turns(context2Of, f.Rows)
	exists, continuation := f.exists(ColContext2, f.Rows), f.texts(ColContinuation, f.Rows)
	if f.err != nil {
		return nil, f.err
	}
	requests := make([]sdk.LogLikRequest, f.Rows)
	for i := range requests {
		requests[i] = sdk.LogLikRequest{Context: first[i], Continuation: continuation.at(i)}
		if exists(i) {
			requests[i].Context2 = second[i]
		}
	}
	return requests, nil
}

// EncodeLogLiks writes the answer to a request for likelihoods.
func EncodeLogLiks(b *Builder, answers []sdk.LogLik) ([]byte, error) {
	n := len(answers)
	b.Begin(LogLik|Answer, n, 3, 0)
	b.f64(ColLogProb, n, func(i int) float64 { return answers[i].LogProb })
	b.f64(ColLogProb2, n, func(i int) float64 { return answers[i].LogProb2 })
	b.u32(ColTokens, n, func(i int) uint32 { return uint32(answers[i].Tokens) })
	return b.Finish()
}

// DecodeLogLiks reads the answer to a request for likelihoods.
func DecodeLogLiks(f *Frame) ([]sdk.LogLik, error) {
	f.expect(LogLik | Answer)
	f.require(ColLogProb, ColLogProb2, ColTokens)
	first, second, tokens := f.f64(ColLogProb, f.Rows), f.f64(ColLogProb2, f.Rows), f.u32(ColTokens, f.Rows)
	if f.err != nil {
		return nil, f.err
	}
	answers := make([]sdk.LogLik, f.Rows)
	for i := range answers {
		answers[i] = sdk.LogLik{LogProb: first[i], LogProb2: second[i], Tokens: int(tokens[i])}
	}
	return answers, nil
}
