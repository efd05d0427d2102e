package tokenizer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/sdk"
)

// ChatMessages is Chat for messages as templates see them: objects with a role, a content and whatever else the
// template reads, beside a list of tools, which may be nil. Our own template knows role and content alone and takes no
// tools. With generate, templates may leave out what they like, such as earlier reasoning; without, see
// LearnedMessages.
func (t *Tokenizer) ChatMessages(messages []*jinja.Object, tools []any, generate bool) ([]int32, error) {
	ids, err := t.chat.prompt(messages, tools, generate)
	if err != nil {
		return nil, fmt.Errorf("chat: %w", err)
	}
	return ids, nil
}

// LearnedMessages is Learned for messages as templates see them. It is an error if the template writes nothing of the
// tools, of the calls of tools or of the reasoning that a dialogue has: they would be left out unnoticed.
func (t *Tokenizer) LearnedMessages(
	messages []*jinja.Object, tools []any, last bool,
) (ids []int32, answers []Span, err error) {
	ids, answers, err = t.chat.learned(messages, tools, last)
	if err != nil {
		return nil, nil, fmt.Errorf("chat: %w", err)
	}
	return ids, answers, nil
}

// OpenCalls reads the arguments of a message's calls of tools where they are JSON in a string, as OpenAI's API has
// them: templates want objects. What is no JSON stays as it is.
func OpenCalls(m *jinja.Object) {
	calls, _ := m.Get("tool_calls")
	list, _ := calls.([]any)
	for _, call := range list {
		o, ok := call.(*jinja.Object)
		if !ok {
			continue
		}
		if function, _ := o.Get("function"); function != nil {
			o, ok = function.(*jinja.Object)
		}
		if ok {
			openArguments(o)
		}
	}
}

func openArguments(function *jinja.Object) {
	arguments, _ := function.Get("arguments")
	text, ok := arguments.(string)
	if !ok {
		return
	}
	if value, err := jinja.FromJSON([]byte(text)); err == nil {
		function.Set("arguments", value)
	}
}

// messages are turns as templates see them.
func messages(turns []sdk.Turn) []*jinja.Object {
	all := make([]*jinja.Object, len(turns))
	for i, turn := range turns {
		all[i] = &jinja.Object{}
		all[i].Set("role", string(turn.Role))
		all[i].Set("content", strings.ToValidUTF8(turn.Text, "\uFFFD"))
	}
	return all
}

func role(m *jinja.Object) sdk.Role {
	name, _ := m.Get("role")
	text, _ := name.(string)
	return sdk.Role(text)
}

func text(m *jinja.Object) string {
	content, _ := m.Get("content")
	text, _ := content.(string)
	return text
}

// lacking leaves keys out of messages; there says whether one has something in them.
func lacking(messages []*jinja.Object, keys []string) (less []*jinja.Object, there bool) {
	for _, m := range messages {
		for _, key := range keys {
			switch v, _ := m.Get(key); v := v.(type) {
			case nil:
			case string:
				there = there || v != ""
			case []any:
				there = there || len(v) > 0
			default:
				there = true
			}
		}
		less = append(less, m.Without(keys...))
	}
	return less, there
}

// untilLast leaves out what is behind the last answer, if there is one.
func untilLast(messages []*jinja.Object) []*jinja.Object {
	for i, m := range slices.Backward(messages) {
		if role(m) == sdk.RoleAssistant {
			return messages[:i+1]
		}
	}
	return messages
}
