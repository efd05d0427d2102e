package tokenizer

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/sdk"
)

// withTemplate is the trained tokenizer with another template.
func withTemplate(t *testing.T, template string) *Tokenizer {
	t.Helper()
	f := trained(t).files
	f.template = []byte(template)
	tok, err := assemble(f)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func templateFile(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../jinja/testdata/templates/" + name + ".jinja")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// objects are the messages or tools of a JSON list.
func objects(t *testing.T, raw string) []*jinja.Object {
	t.Helper()
	v, err := jinja.FromJSON([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	list, _ := v.([]any)
	var all []*jinja.Object
	for _, one := range list {
		all = append(all, one.(*jinja.Object))
	}
	return all
}

func toolList(t *testing.T, raw string) (tools []any) {
	for _, o := range objects(t, raw) {
		tools = append(tools, o)
	}
	return tools
}

// testdata/chats.json is written by testdata/chats.py.
func TestChatsHaveTransformersTokens(t *testing.T) {
	for _, c := range readFixture[[]struct {
		Template     string
		Turns, Tools json.RawMessage
		Generate     bool
		IDs, Mask    []int32
	}](t, "chats.json") {
		tok := withTemplate(t, templateFile(t, c.Template))
		messages, tools := objects(t, string(c.Turns)), toolList(t, string(c.Tools))
		ids, err := tok.ChatMessages(messages, tools, c.Generate)
		if err != nil || !slices.Equal(ids, c.IDs) {
			t.Errorf("%s %s: tokens %v, error %v, want %v", c.Template, c.Turns, ids, err, c.IDs)
		}
		if c.Generate || c.Template != "chatml" {
			continue
		}
		ids, answers, err := tok.LearnedMessages(messages, tools, false)
		mask := make([]int32, len(ids))
		for _, s := range answers {
			for i := s.From; i < s.To; i++ {
				mask[i] = 1
			}
		}
		if err != nil || !slices.Equal(mask, c.Mask) {
			t.Errorf("%s %s: mask %v, error %v, want %v", c.Template, c.Turns, mask, err, c.Mask)
		}
	}
}

const plainTemplate = `{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`

func learnt(t *testing.T, tok *Tokenizer, turns ...sdk.Turn) []string {
	t.Helper()
	ids, answers, err := tok.Learned(turns, false)
	if err != nil {
		t.Fatal(err)
	}
	return learntTexts(tok, ids, answers)
}

func learntTexts(tok *Tokenizer, ids []int32, spans []Span) (texts []string) {
	for _, s := range spans {
		texts = append(texts, tok.DecodeAll(ids[s.From:s.To]))
	}
	return texts
}

// forgetful leaves reasoning out of all answers but the last, and writes tools and calls of them.
const forgetful = `{% if tools %}{{ tools | tojson }}
{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.reasoning_content and loop.last %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}` +
	`{% for c in m.tool_calls or [] %}({{ c.function.arguments | tojson }}){% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`

const thoughtful = `[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_content": "B"},
	{"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "reasoning_content": "D"}, {"role": "user", "content": "more"}]`

func TestTheLastAnswerIsLearnedWhereTheTemplateRewritesEarlierOnes(t *testing.T) {
	tok := withTemplate(t, forgetful)
	if _, _, err := tok.LearnedMessages(objects(t, thoughtful)[:4], nil, false); !errors.Is(err, errRewrites) {
		t.Errorf("error %v", err)
	}
	ids, answers, err := tok.LearnedMessages(objects(t, thoughtful), nil, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := learntTexts(tok, ids, answers); !slices.Equal(got, []string{"<think>D</think>d<|im_end|>"}) {
		t.Errorf("learnt %q", got)
	}
	if whole := tok.DecodeAll(ids); strings.Contains(whole, "B") || strings.Contains(whole, "more") {
		t.Errorf("the dialogue is %q", whole)
	}
	turns := []sdk.Turn{user("a"), assistant("b"), user("c"), assistant("d"), user("more")}
	for _, tok := range []*Tokenizer{trained(t), withTemplate(t, templateFile(t, "chatml")), withTemplate(t, plainTemplate)} {
		ids, answers, err := tok.Learned(turns, true)
		got := learntTexts(tok, ids, answers)
		if err != nil || len(got) != 1 || strings.TrimSpace(got[0]) != "d<|im_end|>" {
			t.Errorf("learnt %q, %v", got, err)
		}
		if whole := tok.DecodeAll(ids); !strings.Contains(whole, "b<|im_end|>") || strings.Contains(whole, "more") {
			t.Errorf("the dialogue is %q", whole)
		}
	}
}

func TestCallsAreLearnedWithoutMarksToo(t *testing.T) {
	tok := withTemplate(t, forgetful)
	tools := toolList(t, `[{"name": "dose"}]`)
	ids, answers, err := tok.LearnedMessages(objects(t, `[{"role": "user", "content": "a"},
		{"role": "assistant", "content": "", "tool_calls": [{"function": {"arguments": {"z": 1.0, "a": 2}}}]},
		{"role": "tool", "content": "r"}, {"role": "assistant", "content": "b"}]`), tools, false)
	want := []string{`({"z": 1.0, "a": 2})<|im_end|>`, "b<|im_end|>"}
	if got := learntTexts(tok, ids, answers); err != nil || !slices.Equal(got, want) {
		t.Errorf("learnt %q, %v, want %q", got, err, want)
	}
	if whole := tok.DecodeAll(ids); !strings.HasPrefix(whole, `[{"name": "dose"}]`) {
		t.Errorf("the dialogue is %q", whole)
	}
}

func TestWhatATemplateLeavesOutIsNamed(t *testing.T) {
	tools := toolList(t, `[{"name": "dose"}]`)
	for _, template := range []string{plainTemplate, chatTemplate} {
		tok := withTemplate(t, template)
		for want, c := range map[string]struct {
			raw   string
			tools []any
		}{
			"tools":          {`[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]`, tools},
			"calls of tools": {`[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "tool_calls": [{}]}]`, nil},
			"reasoning":      {`[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "thinking": "c"}]`, nil},
		} {
			if _, _, err := tok.LearnedMessages(objects(t, c.raw), c.tools, false); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %s", err, want)
			}
			if _, err := tok.ChatMessages(objects(t, c.raw), c.tools, false); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %s", err, want)
			}
		}
	}
}

func user(text string) sdk.Turn      { return sdk.Turn{Role: sdk.RoleUser, Text: text} }
func assistant(text string) sdk.Turn { return sdk.Turn{Role: sdk.RoleAssistant, Text: text} }

func TestAnswersAreWhatTheyAddToADialogue(t *testing.T) {
	marked := "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}a{% endif %}"
	for template, want := range map[string][]string{
		plainTemplate: {"yes<|im_end|>", "no<|im_end|>"},
		// The prompt for an answer has a line that the dialogue lacks: the answer begins where they part.
		plainTemplate + "{% if add_generation_prompt %}\n\nyou:{% endif %}": {"yes<|im_end|>", "no<|im_end|>"},
		// The mark leaves out the end of the turn.
		strings.Replace(plainTemplate, "{{ m.content }}", marked, 1): {"yes<|im_end|>", "no<|im_end|>"},
	} {
		got := learnt(t, withTemplate(t, template), user("a"), assistant("yes"), user("b"), assistant("no"))
		if !slices.Equal(got, want) {
			t.Errorf("%s: learnt %q, want %q", template, got, want)
		}
	}
}

func TestAnswersThatATokenJoinsWithTheHeaderAreLearnedWhole(t *testing.T) {
	got := learnt(t, withTemplate(t, plainTemplate), user("a"), assistant("\n\nyes"))
	if len(got) != 1 || !strings.HasSuffix(got[0], "\nyes<|im_end|>") {
		t.Errorf("learnt %q", got)
	}
}

func TestTemplatesThatCanNotTeachAreRefused(t *testing.T) {
	rewriting := "{% for m in messages %}{{ m.content if loop.last else 'gone' }}<|im_end|>{% endfor %}"
	for template, want := range map[string]string{
		rewriting: "turn 1: the template rewrites earlier turns",
		"{% for m in messages %}{{ m.content }}. {% endfor %}":                                  "no special token",
		"{{ messages[3].content }}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}": "can't be rendered",
	} {
		tok := withTemplate(t, template)
		turns := []sdk.Turn{user("a"), assistant("b"), user("c"), assistant("d")}
		if _, _, err := tok.Learned(turns, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", template, err, want)
		}
		if _, err := tok.Chat(turns, false); err != nil {
			t.Errorf("%s: error %v", template, err)
		}
	}
}

func TestTheBeginningIsWrittenByTheTemplateOnly(t *testing.T) {
	bos, _ := trained(t).BOS()
	for template, n := range map[string]int{plainTemplate: 0, "{{ bos_token }}" + plainTemplate: 1} {
		ids, err := withTemplate(t, template).Chat([]sdk.Turn{user("a")}, true)
		if err != nil {
			t.Fatal(err)
		}
		others := slices.DeleteFunc(slices.Clone(ids), func(id int32) bool { return id == bos })
		if got := len(ids) - len(others); got != n {
			t.Errorf("%d tokens begin a text, want %d", got, n)
		}
	}
}

func TestEndOfTurnIsFoundInTheTemplate(t *testing.T) {
	want, _ := trained(t).EndOfTurn()
	if end, ok := withTemplate(t, plainTemplate).EndOfTurn(); !ok || end != want {
		t.Errorf("end %d, want %d", end, want)
	}
}

func TestATemplateThatCanNotBeRenderedLeavesPlainText(t *testing.T) {
	tok := withTemplate(t, "{% include 'a' %}")
	_, err := tok.Chat([]sdk.Turn{user("a")}, false)
	if !errors.Is(err, ErrTemplate) || !strings.Contains(err.Error(), "the tag include") {
		t.Errorf("error %v", err)
	}
	if _, err := tok.Chat([]sdk.Turn{{Text: "a"}}, false); err != nil {
		t.Error(err)
	}
	mixed := []sdk.Turn{{Text: "a"}, user("b")}
	if _, err := withTemplate(t, plainTemplate).Chat(mixed, false); !errors.Is(err, errMixed) {
		t.Errorf("error %v", err)
	}
}

func TestTheDateCanBeFixed(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	tok := withTemplate(t, "{{ strftime_now('%Y-%m-%d') }}")
	ids, err := tok.Chat([]sdk.Turn{user("a")}, false)
	if err != nil || tok.DecodeAll(ids) != "1970-01-02" {
		t.Errorf("%q, error %v", tok.DecodeAll(ids), err)
	}
}
