package jinja

import (
	"errors"
	"strings"
	"testing"
)

func render(source string, values *Object) (string, error) {
	template, err := Parse("t", source)
	if err != nil {
		return "", err
	}
	out, err := template.Render(values)
	return out.Text, err
}

func TestHostileTemplatesEnd(t *testing.T) {
	repeated := func(start, step, end string) string {
		return "{% set ns = namespace(v=" + start + ") %}" +
			"{% for i in range(9999) %}{% set ns.v = " + step + " %}{% endfor %}" + end
	}
	loops := strings.Repeat("{% for i in range(99999) %}", 3) + strings.Repeat("{% endfor %}", 3)
	for name, source := range map[string]string{
		"large":           strings.Repeat(" ", maxSource+1),
		"loops":           loops,
		"range":           "{{ range(100001) }}",
		"endless range":   "{{ range(-9223372036854775807, 9223372036854775807) }}",
		"recursion":       "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
		"repeated text":   "{{ 'a' * 999999999 * 99 }}",
		"repeated list":   "{{ [1] * 4611686018427387904 }}",
		"doubling":        repeated("'aaaaaaaa'", "ns.v + ns.v", ""),
		"joined":          repeated("'aaaaaaaa'", "ns.v ~ ns.v", ""),
		"replaced":        repeated("'aaaa'", "ns.v | replace('a', ns.v)", ""),
		"printed":         repeated("[1]", "[ns.v, ns.v]", "{{ ns.v }}"),
		"deep list":       repeated("[]", "[ns.v]", "{{ ns.v | tojson }}"),
		"compared":        repeated("[]", "[ns.v]", "{{ ns.v == [ns.v] }}"),
		"padded":          "{{ 'a'.ljust(99999999999) }}",
		"zeros":           "{{ 'a'.zfill(99999999999) }}",
		"indent":          "{{ 'a'|indent(99999999999) }}",
		"JSON":            "{{ [[[1]]] | tojson(indent=99999999999) }}",
		"batch":           "{{ [1] | batch(99999999999, 'x') | list }}",
		"format":          "{{ '%.99999999999f' % 1.5 }}",
		"brackets":        "{{ " + strings.Repeat("(", 9999) + " }}",
		"nots":            "{{ " + strings.Repeat("not ", 9999) + "1 }}",
		"signs":           "{{ " + strings.Repeat("- ", 9999) + "1 }}",
		"blocks":          strings.Repeat("{% if 1 %}", 9999),
		"sums":            "{{ 1" + strings.Repeat("+1", 9999) + " }}",
		"subscripts":      "{{ a" + strings.Repeat("[0]", 9999) + " }}",
		"filters":         "{{ a" + strings.Repeat("|list", 9999) + " }}",
		"calls":           "{{ a" + strings.Repeat("()", 9999) + " }}",
		"power":           "{{ 9 ** 99999999999 }}",
		"float":           "{{ 9.5 ** 99999999999 }}",
		"divided by zero": "{{ 1 // 0 }}{{ 1.0 % 0 }}",
		"least number":    "{{ (-9223372036854775807 - 1) // -1 }}",
	} {
		if _, err := render(source, &Object{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestWhatIsLackingIsRefusedByItsReason(t *testing.T) {
	for source, want := range map[string]string{
		"\n{% include 'a' %}":                             "t:2: not supported here: the tag include",
		"{% import 'a' as b %}":                           "the tag import",
		"{% extends 'a' %}":                               "the tag extends",
		"{% block a %}{% endblock %}":                     "the tag block",
		"{% autoescape true %}{% endautoescape %}":        "the tag autoescape",
		"{% for a in b recursive %}{% endfor %}":          "a recursive loop",
		"{{ a | urlize }}":                                "the filter urlize",
		"{{ lipsum() }}":                                  "the global lipsum",
		"{{ ''.__class__ }}":                              "the attribute __class__",
		"{{ 99999999999999999999 }}":                      "beyond 64 bits",
		"{{ '\\ud800' }}":                                 "surrogate",
		"{{ é }}":                                         "outside strings",
		"{{ ''.encode('utf-8') }}":                        "the attribute encode of a str",
		"{{ 9223372036854775807 + 1 }}":                   "a number beyond 64 bits",
		"{{ 'straße' | upper }}":                          "the case of 'ß'",
		"{{ ('a' | safe) + 'b' }}":                        "marked safe",
		"{{ strftime_now('%U') }}":                        "%U in a time format",
		"{{ {(1, 2): 3} }}":                               "a key of type tuple",
		"{{ [1] is sameas [1] }}":                         "the identity",
		"{{ namespace() }}":                               "printing a value of type Namespace",
		"{{ ''['__class__'] }}":                           "the attribute __class__",
		"{% macro m(caller) %}{{ caller }}{% endmacro %}": "a parameter named caller",
	} {
		_, err := render(source, &Object{})
		if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", source, err, want)
		}
	}
}

func TestWrongTemplatesAreErrors(t *testing.T) {
	for _, source := range []string{
		"{{", "{%", "{#", "{{ 'a", "{{ a", "{% if %}", "{% if a %}", "{% endif %}", "{% unknown %}",
		"{{ a | unknown }}", "{{ a is unknown }}", "{% for a.b in c %}{% endfor %}", "{% set 1 = 2 %}",
		"{% set none = 1 %}", "{% break %}", "{% for loop in a %}{% endfor %}", "{% raw %}", "{{ a b }}", "{{ (1 }}",
		"{{ 1) }}", "{{ f(a=1, 2) }}", "{{ f(a=1, a=2) }}", "{% macro m(a=1, b) %}{% endmacro %}",
		"{% macro m(a, a) %}{% endmacro %}", "{{ a is defined is none }}", "{% call 1 %}{% endcall %}",
		"{{ a ? b }}", "\xff", "{% for a in b %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
	} {
		var e *Error
		if _, err := Parse("t", source); !errors.As(err, &e) || e.Line == 0 {
			t.Errorf("%s: error %v", source, err)
		}
	}
}

func TestTheTemplateCanRefuse(t *testing.T) {
	_, err := render("{% if true %}\n{{ raise_exception('no ' ~ 1) }}{% endif %}", &Object{})
	var raised *Raised
	if !errors.As(err, &raised) || raised.Message != "no 1" || err.Error() != "t:2: the template refuses: no 1" {
		t.Errorf("error %v", err)
	}
}

func TestHiddenGenerationBlocksCountForNothing(t *testing.T) {
	for source, marks := range map[string]bool{
		"{% generation %}a{% endgeneration %}":                               true,
		"{% for i in [1] %}{% generation %}a{% endgeneration %}{% endfor %}": true,
		"a": false,
		"{% macro m() %}{% generation %}a{% endgeneration %}{% endmacro %}{{ m() }}": false,
		"{% set a %}{% generation %}a{% endgeneration %}{% endset %}":                false,
		"{% filter upper %}{% generation %}a{% endgeneration %}{% endfilter %}":      false,
	} {
		template, err := Parse("t", source)
		if err != nil {
			t.Fatal(err)
		}
		out, err := template.Render(&Object{})
		if err != nil || template.Marks() != marks || (out.Generated != nil) != marks {
			t.Errorf("%s: marks %v, spans %v, error %v", source, template.Marks(), out.Generated, err)
		}
	}
}

// FuzzRender looks for templates that crash or do not end. Its seeds are the test templates.
func FuzzRender(f *testing.F) {
	g := readGolden(f, "testdata/renders.json")
	for _, template := range g.Templates {
		f.Add(template.Source, string(g.Conversations["tool result"]))
	}
	f.Add("{{ text | upper }}", string(g.Conversations["values"]))
	f.Fuzz(func(t *testing.T, source, values string) {
		v, err := FromJSON([]byte(values))
		o, ok := v.(*Object)
		if err != nil || !ok {
			o = &Object{}
		}
		template, err := Parse("fuzzed", source)
		if err != nil {
			return
		}
		out, err := template.Render(o)
		if err != nil {
			return
		}
		for _, s := range out.Generated {
			if s.From < 0 || s.To < s.From || s.To > len(out.Text) {
				t.Errorf("span %v of %d bytes", s, len(out.Text))
			}
		}
	})
}
