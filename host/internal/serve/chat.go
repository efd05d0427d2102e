package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// A chatReply is a whole answer, or a chunk of a stream.
type chatReply struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"`
	Model   string       `json:"model"`
	Choices []chatChoice `json:"choices"`
	Usage   *usage       `json:"usage,omitempty"`
}

type chatChoice struct {
	Index    int           `json:"index"`
	Message  *chatMessage  `json:"message,omitempty"`
	Delta    *chatMessage  `json:"delta,omitempty"`
	LogProbs *chatLogProbs `json:"logprobs"`
	Finish   *model.End    `json:"finish_reason"`
}

type chatMessage struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type chatLogProbs struct {
	Content []tokenChances `json:"content"`
}

// A chatRequest is what a request says beside its sampling.
type chatRequest struct {
	*sampling
	model    string
	messages json.RawMessage
	tools    json.RawMessage
	stream   streaming
}

// streaming is whether an answer comes in pieces, and whether its usage comes last.
type streaming struct{ on, usage bool }

func (p *parameters) streaming() streaming {
	var s streaming
	var o struct {
		IncludeUsage       bool `json:"include_usage"`
		IncludeObfuscation bool `json:"include_obfuscation"`
	}
	p.take("stream", &s.on)
	p.take("stream_options", &o)
	s.usage = o.IncludeUsage
	return s
}

func readChat(r *http.Request) (*chatRequest, error) {
	p, err := readParameters(r)
	if err != nil {
		return nil, err
	}
	c := &chatRequest{sampling: p.sampling(), stream: p.streaming()}
	p.take("model", &c.model)
	c.messages, c.tools = p.raw("messages"), p.raw("tools")
	number(p, "max_tokens", &c.maxTokens, 1, 1<<30)
	number(p, "max_completion_tokens", &c.maxTokens, 1, 1<<30)
	p.take("logprobs", &c.LogProbs)
	number(p, "top_logprobs", &c.Top, 0, mostTop)
	if c.Top > 0 && !c.LogProbs {
		p.refuse("top_logprobs", "needs logprobs")
	}
	p.only("tool_choice", `"auto"`, `"none"`)
	p.only("response_format", `{"type":"text"}`)
	p.only("modalities", `["text"]`)
	return c, p.done()
}

// prompt renders the messages by the model's template.
func (c *chatRequest) prompt(m *served) ([]int32, error) {
	messages, err := readMessages(c.messages)
	if err != nil {
		return nil, err
	}
	var tools []any
	if c.tools != nil {
		value, err := jinja.FromJSON(c.tools)
		if err != nil {
			return nil, wrong("tools", "%v", err)
		}
		var list bool
		if tools, list = value.([]any); !list {
			return nil, wrong("tools", "is no list")
		}
	}
	ids, err := m.tok.ChatMessages(messages, tools, true)
	if err != nil {
		return nil, wrong("messages", "%v", err)
	}
	return ids, nil
}

// readMessages reads messages as templates see them: text content is a string, and the arguments of earlier calls of
// tools are objects.
func readMessages(raw json.RawMessage) ([]*jinja.Object, error) {
	if raw == nil {
		return nil, wrong("messages", "is missing")
	}
	value, err := jinja.FromJSON(raw)
	if err != nil {
		return nil, wrong("messages", "%v", err)
	}
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		return nil, wrong("messages", "is no list of messages")
	}
	var messages []*jinja.Object
	for i, one := range list {
		m, ok := one.(*jinja.Object)
		if !ok {
			return nil, wrong("messages", "message %d is no object", i)
		}
		if err := plainMessage(m); err != nil {
			return nil, wrong("messages", "message %d: %v", i, err)
		}
		messages = append(messages, m)
	}
	return messages, nil
}

func plainMessage(m *jinja.Object) error {
	role, _ := m.Get("role")
	if name, ok := role.(string); !ok || name == "" {
		return fmt.Errorf("it has no role")
	}
	content, _ := m.Get("content")
	if parts, ok := content.([]any); ok {
		text, err := joinParts(parts)
		if err != nil {
			return err
		}
		m.Set("content", text)
	}
	tokenizer.OpenCalls(m)
	return nil
}

// joinParts is the text of a content in parts.
func joinParts(parts []any) (string, error) {
	var text strings.Builder
	for _, part := range parts {
		o, _ := part.(*jinja.Object)
		if o == nil {
			return "", fmt.Errorf("a part of its content is no object")
		}
		kind, _ := o.Get("type")
		piece, _ := o.Get("text")
		words, ok := piece.(string)
		if kind != "text" || !ok {
			return "", fmt.Errorf("its content has a part of type %v; the model reads text only", kind)
		}
		text.WriteString(words)
	}
	return text.String(), nil
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) error {
	c, err := readChat(r)
	if err != nil {
		return err
	}
	m, err := s.writer(c.model)
	if err != nil {
		return err
	}
	ids, err := c.prompt(m)
	if err != nil {
		return err
	}
	a, err := s.ask(m, [][]int32{ids}, c.sampling, "messages")
	if err != nil {
		return err
	}
	leave, err := s.enter(c.choices)
	if err != nil {
		return err
	}
	defer leave()
	reply := chatReply{ID: newID("chatcmpl-"), Object: "chat.completion", Created: time.Now().Unix(), Model: m.name}
	if c.stream.on {
		reply.Object += ".chunk"
		return a.streamChat(w, r, reply, c.stream)
	}
	return a.wholeChat(w, r, reply)
}

// wholeChat writes all choices at once.
func (a *ask) wholeChat(w http.ResponseWriter, r *http.Request, reply chatReply) error {
	answers, texts, err := a.gather(r.Context())
	if err != nil {
		return err
	}
	for i, one := range answers {
		choice := chatChoice{Index: i, Message: &chatMessage{"assistant", &texts[i]}, Finish: &one.end}
		if a.LogProbs {
			choice.LogProbs = &chatLogProbs{one.chances(one.news())}
		}
		reply.Choices = append(reply.Choices, choice)
	}
	reply.Usage = a.usage(answers)
	return writeJSON(w, http.StatusOK, reply)
}

// streamChat writes pieces of the choices as they come.
func (a *ask) streamChat(w http.ResponseWriter, r *http.Request, reply chatReply, o streaming) error {
	answers, out := a.answers(nil), newEventStream(w)
	send := func(choice chatChoice) error {
		reply.Choices = []chatChoice{choice}
		return out.send(reply)
	}
	for i := range answers {
		if err := send(chatChoice{Index: i, Delta: &chatMessage{"assistant", new(string)}}); err != nil {
			return err
		}
	}
	err := a.run(r.Context(), func(i int, t model.Token) (bool, error) {
		one := answers[i]
		piece, choice := one.add(t), chatChoice{Index: i, Delta: &chatMessage{}}
		if a.LogProbs && (piece != "" || one.end != model.NotEnded) {
			choice.LogProbs = &chatLogProbs{one.chances(one.news())}
		}
		if piece != "" {
			choice.Delta.Content = &piece
			if err := send(choice); err != nil {
				return true, err
			}
			choice = chatChoice{Index: i, Delta: &chatMessage{}}
		}
		if one.end == model.NotEnded {
			return false, nil
		}
		choice.Finish = &one.end
		return true, send(choice)
	})
	if err == nil && o.usage {
		reply.Choices, reply.Usage = []chatChoice{}, a.usage(answers)
		err = out.send(reply)
	}
	return out.end(err)
}
