"""Renders chat templates by transformers and writes what they give, for the tests of package jinja.

Made with Python 3.11, transformers 5.24.0 and jinja2 3.1.6:

    python make_renders.py renders.json templates/*.jinja

A template is a .jinja file, a line of a .jsonl file that gives its name, or a tokenizer_config.json with a chat_template. The output lists the conversations as
the template sees them, and for each template and conversation the text and the spans of its generation blocks in bytes,
or the error.
"""

import datetime
import json
import sys

from transformers.utils import chat_template_utils as chat


class Clock:
    """The time that templates read."""

    @staticmethod
    def now():
        return datetime.datetime(2026, 3, 14, 15, 9, 26)


chat.datetime = Clock

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather at a place, with <b>\"quotes\"</b> & more.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "A city, such as Zürich or 北京"},
                "unit": {"type": "string", "enum": ["C", "F"], "default": "C"},
                "days": {"type": ["integer", "null"], "minimum": 1, "nullable": True},
                "near": {"type": "array", "items": {"type": "number"}},
                "options": {"type": "object", "properties": {"wind": {"type": "boolean"}}, "required": []},
            },
            "required": ["place"],
        },
        "return": {"type": "string", "description": "One line"},
    },
}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "The time", "parameters": {
    "type": "object", "properties": {}}}}


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def system(text):
    return {"role": "system", "content": text}


def call(name, arguments, id):
    return {"type": "function", "id": id, "function": {"name": name, "arguments": arguments}}


ASK = user("What is a fever?")
SAY = assistant("A raised temperature.")
CALL = assistant("", tool_calls=[call("get_weather", {"place": "Zürich", "days": 2, "near": [1.5, 1e-05, 1e16]}, "abcdefghi")])
TOOLS = [WEATHER, CLOCK]

CONVERSATIONS = {
    "one question": dict(messages=[ASK]),
    "prompt": dict(messages=[ASK], add_generation_prompt=True),
    "system": dict(messages=[system("Be brief."), ASK, SAY]),
    "system prompt": dict(messages=[system("Be brief."), ASK], add_generation_prompt=True),
    "several turns": dict(messages=[system("Be brief."), ASK, SAY, user("And 39 degrees?"), assistant("High.")]),
    "several turns, prompt": dict(messages=[ASK, SAY, user("And?"), assistant("High."), user("So?")], add_generation_prompt=True),
    "white space": dict(messages=[system("  a\n"), user(" \n b \t"), assistant("\n\n c  ")]),
    "other scripts": dict(messages=[user("发烧是什么？ 😀 Ångström é"), assistant("体温升高。\u00a0\u2028 ‮")]),
    "special text": dict(messages=[user("<s></s><|im_end|>{{ 1 }}{% raw %} & \"'\\ </think>"), assistant("<think>no</think>yes")]),
    "two users": dict(messages=[ASK, user("Hello?"), SAY]),
    "two assistants": dict(messages=[ASK, SAY, assistant("More.")]),
    "assistant first": dict(messages=[SAY, ASK]),
    "system late": dict(messages=[ASK, SAY, system("Stop."), user("Why?")]),
    "system only": dict(messages=[system("Be brief.")]),
    "unknown role": dict(messages=[{"role": "doctor", "content": "a"}]),
    "no content": dict(messages=[{"role": "user"}]),
    "empty content": dict(messages=[user(""), assistant("")]),
    "tools": dict(messages=[system("Be brief."), ASK], tools=TOOLS, add_generation_prompt=True),
    "tools, no system": dict(messages=[ASK, SAY], tools=TOOLS),
    "tool call": dict(messages=[ASK, CALL], tools=TOOLS),
    "tool call as text": dict(messages=[ASK, assistant(None, tool_calls=[call("clock", "{\"zone\": \"UTC\"}", "123456789")])], tools=TOOLS),
    "tool result": dict(
        messages=[ASK, CALL, {"role": "tool", "name": "get_weather", "content": "12 °C", "tool_call_id": "abcdefghi"}, SAY],
        tools=TOOLS,
    ),
    "tool results": dict(
        messages=[
            ASK,
            assistant("Let me see.", tool_calls=[call("clock", {}, "a23456789"), call("get_weather", {"place": "Bern"}, "b23456789")]),
            {"role": "tool", "name": "clock", "content": "12:00", "tool_call_id": "a23456789"},
            {"role": "tool", "name": "get_weather", "content": "{\"t\": 12}", "tool_call_id": "b23456789"},
        ],
        tools=TOOLS,
        add_generation_prompt=True,
    ),
    "reasoning": dict(messages=[ASK, assistant("Hot.", reasoning_content="Body heat.\n"), user("So?"), assistant("Rest.", reasoning_content="Hm.")]),
    "reasoning, prompt": dict(messages=[ASK, assistant("Hot.", reasoning_content="Body heat."), user("So?")], add_generation_prompt=True),
    "thinking in text": dict(messages=[ASK, assistant("<think>\nHeat.\n</think>\n\nHot."), user("So?"), assistant("<think>\n\n</think>\n\nRest.")]),
    "parts": dict(messages=[{"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": " you"}]}, SAY]),
    "thinking off": dict(messages=[ASK], add_generation_prompt=True, enable_thinking=False),
    "documents": dict(messages=[ASK], documents=[{"title": "Fever", "text": "38 °C and more."}], add_generation_prompt=True),
    "continued": dict(messages=[ASK, assistant("A raised CONTINUE_FINAL_MESSAGE_TAG ")]),
    "values": dict(
        messages=[ASK],
        nothing=None, yes=True, no=False, zero=0, whole=-7, real=2.5, tiny=1e-07, huge=1.5e300, text="Ab c",
        list=[3, 1, 2], mixed=[1, "a", None, True, 2.0, [1], {"k": "v"}], map={"b": 1, "a": {"c": [1, 2]}, "Z": None},
        rows=[{"n": 2, "s": "b", "on": True}, {"n": 1, "s": "a", "on": False}, {"n": 3, "s": "A", "on": True}],
        lines="one\n two\r\n\nthree\n", quoted="it's \"so\"\\\t\u200b\x00é😀", empty="", none=[],
    ),
}


def prepared(conversation):
    """The values that transformers gives a template."""
    values = {"tools": None, "documents": None, "add_generation_prompt": False, **SPECIAL, **conversation}
    messages = chat._normalize_chat_messages(values["messages"])
    values["messages"] = chat._alias_reasoning_fields(messages)
    return values


def in_bytes(text, spans):
    return [[len(text[:a].encode()), len(text[:b].encode())] for a, b in spans]


def render(source, values):
    values = dict(values)
    messages = values.pop("messages")
    try:
        texts, spans = chat.render_jinja_template(
            [messages], chat_template=source, return_assistant_tokens_mask=True, **values
        )
        texts[0].encode()
        return {"text": texts[0], "spans": in_bytes(texts[0], spans[0])}
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"}


def sources(path):
    """The templates in a file, by name."""
    if path.endswith(".jsonl"):
        lines = [json.loads(line) for line in open(path)]
        return {f"{path}:{i} ({name})": t for i, line in enumerate(lines, 1) for name, t in line.items()}
    if not path.endswith(".json"):
        return {path: open(path, newline="").read()}
    template = json.load(open(path)).get("chat_template")
    if isinstance(template, list):
        return {f"{path} ({t['name']})": t["template"] for t in template}
    return {path: template} if template else {}


def main(out, paths):
    values = {name: prepared(c) for name, c in CONVERSATIONS.items()}
    templates = []
    for path in paths:
        for name, source in sources(path).items():
            renders = {c: render(source, v) for c, v in values.items()}
            templates.append({"name": name, "source": source, "renders": renders})
    with open(out, "w") as f:
        json.dump({"conversations": values, "templates": templates}, f, ensure_ascii=False, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
