package sdk

import "context"

// A Model is one of the host's models. Requests are answered in order, one answer for each; the host batches them over all
// instances of all plugins. Turns are rendered by the model's chat template; turns of RoleRaw are taken as they are.
type Model interface {
	Info() ModelInfo
	// LogLik sums the log-probabilities (natural logarithm) of the continuation's tokens.
	LogLik(ctx context.Context, requests []LogLikRequest) ([]LogLik, error)
	// Score runs the classification, regression or reward head: the raw outputs (logits, or the regression value) for each text.
	Score(ctx context.Context, texts [][]Turn) ([][]float64, error)
	// Embed returns one vector for each text.
	Embed(ctx context.Context, texts []string) ([][]float64, error)
}

// ModelInfo describes a model to a plugin.
type ModelInfo struct {
	Name      string `json:"name"`
	MaxTokens int    `json:"max_tokens"` // longest input
	Outputs   int    `json:"outputs"`    // width of Score's answers, 0 when the model has no head
	Hidden    int    `json:"hidden"`     // width of Embed's answers
}

// A LogLikRequest asks for the likelihood of Continuation after Context and, when Context2 is not nil, after Context2 as well.
// Contexts that are too long lose their oldest tokens; the continuation is cut at its end, equally under both contexts.
type LogLikRequest struct {
	Context      []Turn
	Context2     []Turn
	Continuation string
}

// LogLik is the answer: sums over the same Tokens tokens under both contexts (LogProb2 is 0 without a second context).
type LogLik struct {
	LogProb  float64
	LogProb2 float64
	Tokens   int
}
