"""Asks a server on the URL of the first argument with the official client (openai 3.57.0)."""

import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="secret", max_retries=0)
question = [{"role": "user", "content": "fever?"}]

whole = client.chat.completions.create(
    model="toy", messages=question, max_completion_tokens=20, seed=5, n=2, stop=["zz"], logprobs=True, top_logprobs=2
)
assert len(whole.choices) == 2 and whole.choices[0].finish_reason in ("stop", "length"), whole
assert len(whole.choices[0].logprobs.content[0].top_logprobs) == 2, whole

text = ["", ""]
for chunk in client.chat.completions.create(
    model="toy", messages=question, max_completion_tokens=20, seed=5, n=2, stop=["zz"],
    stream=True, stream_options={"include_usage": True},
):
    for choice in chunk.choices:
        text[choice.index] += choice.delta.content or ""
    usage = chunk.usage
assert text == [choice.message.content for choice in whole.choices], (text, whole)
assert usage == whole.usage, (usage, whole.usage)

assert [m.id for m in client.models.list()] == ["toy", "other", "rater"]
plain = client.completions.create(model="toy", prompt=["a", "b"], max_tokens=4, temperature=0)
assert len(plain.choices) == 2 and plain.usage.total_tokens > 0, plain

# The client asks for base64 unless it is told otherwise.
coded = client.embeddings.create(model="toy", input=["a", "b"])
numbers = client.embeddings.create(model="toy", input=["a", "b"], encoding_format="float")
for a, b in zip(coded.data, numbers.data):
    assert len(a.embedding) == 32 and max(abs(x - y) for x, y in zip(a.embedding, b.embedding)) < 1e-6, a

try:
    client.chat.completions.create(model="toy", messages=question, frequency_penalty=1)
    raise AssertionError("a parameter that would change the answer was taken")
except openai.BadRequestError as e:
    assert e.param == "frequency_penalty", e
try:
    openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="wrong", max_retries=0).models.list()
    raise AssertionError("a wrong token was taken")
except openai.AuthenticationError:
    pass
