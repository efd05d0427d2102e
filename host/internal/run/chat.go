package run

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
)

// ChatOptions say how a model talks.
type ChatOptions struct {
	Device     string
	MaxTokens  int
	Generation model.Generation
	System     string // first turn, or empty
	BF16       bool   // on a GPU, answers are computed in bfloat16
}

// Chat talks with the model of a directory: a line of in is a user turn, the answer is written as it comes. An empty line
// begins a new conversation; the end of in ends the talk. The oldest turns go when the conversation outgrows the context.
func Chat(ctx context.Context, dir string, o ChatOptions, in io.Reader, out io.Writer) error {
	m, err := openModel(dir, o.Device, model.HeadLM, o.BF16)
	if err != nil {
		return err
	}
	defer m.Close()
	c := conversation{served: m.Served, tok: m.tok, options: o, out: out, limit: m.model.Config().Context()}
	return c.talk(ctx, in)
}

// conversation is what was said so far.
type conversation struct {
	served  *eval.Served
	tok     *tokenizer.Tokenizer
	options ChatOptions
	out     io.Writer
	limit   int
	turns   []sdk.Turn
}

func (c *conversation) talk(ctx context.Context, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for c.prompt(); lines.Scan(); c.prompt() {
		text := lines.Text()
		if text == "" {
			c.turns = nil
			continue
		}
		c.turns = append(c.turns, sdk.Turn{Role: sdk.RoleUser, Text: text})
		if err := c.answer(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(c.out)
	return lines.Err()
}

func (c *conversation) prompt() { fmt.Fprint(c.out, "> ") }

// answer generates the next assistant turn and writes it token by token.
func (c *conversation) answer(ctx context.Context) error {
	ids, err := c.context()
	if err != nil {
		return err
	}
	g := c.options.Generation
	g.MaxTokens = min(c.options.MaxTokens, c.limit-len(ids))
	text := c.tok.Stream(nil)
	answers, err := c.served.Generate(ctx, [][]int32{ids}, g, func(_ int, id int32) { io.WriteString(c.out, text.Add(id)) })
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, text.Rest())
	c.turns = append(c.turns, sdk.Turn{Role: sdk.RoleAssistant, Text: c.tok.Decode(answers[0])})
	return nil
}

// context renders the conversation and leaves room for an answer; the oldest turns go first.
func (c *conversation) context() ([]int32, error) {
	room := max(1, c.limit-min(c.options.MaxTokens, c.limit/2))
	for {
		turns := c.turns
		if c.options.System != "" {
			turns = append([]sdk.Turn{{Role: sdk.RoleSystem, Text: c.options.System}}, turns...)
		}
		ids, err := c.tok.Chat(turns, true)
		if err != nil || len(ids) <= room {
			return ids, err
		}
		if len(c.turns) < 3 {
			return nil, fmt.Errorf("the question has %d tokens, the model takes %d", len(ids), room)
		}
		c.turns = c.turns[2:]
	}
}
