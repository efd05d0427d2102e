package tokenizer

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

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

// testdata/chats.json is written by testdata/chats.py.
func TestChatsHaveTransformersTokens(t *testing.T) {
	type turn struct{ Role, Content string }
	for _, c := range readFixture[[]struct {
		Template  string
		Turns     []turn
		Generate  bool
		IDs, Mask []int32
	}](t, "chats.json") {
		tok := withTemplate(t, templateFile(t, c.Template))
		var turns []sdk.Turn
		for _, one := range c.Turns {
			turns = append(turns, sdk.Turn{Role: sdk.Role(one.Role), Text: one.Content})
		}
		ids, err := tok.Chat(turns, c.Generate)
		if err != nil || !slices.Equal(ids, c.IDs) {
			t.Errorf("%s %v: tokens %v, error %v, want %v", c.Template, turns, ids, err, c.IDs)
		}
		if c.Generate || c.Template != "chatml" {
			continue
		}
		ids, answers, err := tok.Learned(turns)
		mask := make([]int32, len(ids))
		for _, s := range answers {
			for i := s.From; i < s.To; i++ {
				mask[i] = 1
			}
		}
		if err != nil || !slices.Equal(mask, c.Mask) {
			t.Errorf("%s %v: mask %v, error %v, want %v", c.Template, turns, mask, err, c.Mask)
		}
	}
}

const plainTemplate = `{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`

func learnt(t *testing.T, tok *Tokenizer, turns ...sdk.Turn) []string {
	t.Helper()
	ids, answers, err := tok.Learned(turns)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range answers {
		texts = append(texts, tok.DecodeAll(ids[s.From:s.To]))
	}
	return texts
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
		if _, _, err := tok.Learned(turns); err == nil || !strings.Contains(err.Error(), want) {
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
