package serve

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// The official Go client asks every route that it knows.
func TestTheOfficialGoClient(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Token = "secret" })
	client := openai.NewClient(option.WithBaseURL(s.url+"/v1"), option.WithAPIKey("secret"), option.WithMaxRetries(0))
	params := openai.ChatCompletionNewParams{
		Model: "toy",
		Messages: []openai.ChatCompletionMessageParamUnion{
			openai.SystemMessage("Be short."), openai.UserMessage("fever?"),
		},
		MaxTokens:   openai.Int(20),
		Seed:        openai.Int(-3),
		Logprobs:    openai.Bool(true),
		TopLogprobs: openai.Int(2),
		User:        openai.String("me"),
	}
	whole, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	usage := whole.Usage
	if len(whole.Choices[0].Logprobs.Content) == 0 || usage.TotalTokens != usage.PromptTokens+usage.CompletionTokens {
		t.Errorf("the client sees %s", whole.RawJSON())
	}
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		if !all.AddChunk(stream.Current()) {
			t.Errorf("the client does not take %s", stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got, want := all.Choices[0], whole.Choices[0]; got.Message.Content != want.Message.Content ||
		got.FinishReason != want.FinishReason || all.Usage.TotalTokens != usage.TotalTokens {
		t.Errorf("streamed %+v, whole %s", got, whole.RawJSON())
	}
	models, err := client.Models.List(t.Context())
	if err != nil || len(models.Data) != 3 {
		t.Errorf("the models are %v, %v", models, err)
	}
	text, err := client.Completions.New(t.Context(), openai.CompletionNewParams{
		Model: "toy", MaxTokens: openai.Int(5),
		Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("the patient")},
	})
	if err != nil || len(text.Choices) != 1 || text.Usage.CompletionTokens < 1 {
		t.Errorf("the completion is %v, %v", text, err)
	}
	embeddings, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: "toy", Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a", "b"}},
	})
	if err != nil || len(embeddings.Data) != 2 || len(embeddings.Data[1].Embedding) != 32 {
		t.Errorf("the embeddings are %v, %v", embeddings, err)
	}
	params.Model = "nobody"
	var refused *openai.Error
	_, err = client.Chat.Completions.New(t.Context(), params)
	if !errors.As(err, &refused) || refused.Code != "model_not_found" {
		t.Errorf("an unknown model is refused with %v", err)
	}
}

// pythonVariable names a Python that has the openai package.
const pythonVariable = "CAREBOT_TEST_OPENAI_PYTHON"

func TestTheOfficialPythonClient(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Skipf("SKIPPED: set %s to a Python with the openai package to test with the official client", pythonVariable)
	}
	s := newSite(t, func(o *Options) { o.Token = "secret" })
	cmd := exec.CommandContext(t.Context(), python, "testdata/client.py", s.url)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
