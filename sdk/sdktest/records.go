package sdktest

import "github.com/carebot-llm/carebot/sdk/sdktest/standin"

// Model is a model whose answers are hashes of the requests.
type Model = standin.Model

// Refused is a text that the model fails on.
const Refused = standin.Refused

// Records returns a case of records that are awkward in every way that a plugin meets.
func Records() Case {
	r := standin.Awkward()
	return Case{Name: "records", Documents: r.Documents, Dialogues: r.Dialogues, Samples: r.Samples}
}
