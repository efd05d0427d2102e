#!/usr/bin/env python3
"""The conformance example, sdk/sdktest/example, in Python.

The host's tests hold it to the answers of the Go original, bit for bit.
"""

from __future__ import annotations

import logging

import carebot
from carebot import Action, Edit, EditOp, Judgement, LogLik, LogLikRequest, Rating, Role, Status, Turn, Verdict

MANIFEST = carebot.Manifest(
    name="sdktest-example",
    version="1.0.0",
    scores=[
        carebot.ScoreInfo("runes", higher_is_better=True),
        carebot.ScoreInfo("spaces", min=0, max=1),
        carebot.ScoreInfo("rated"),
        carebot.ScoreInfo("exact"),
    ],
    reasons=["short", "incoherent"],
    capabilities=["model:lm", "model:rater"],
    config={
        "low": carebot.ConfigKey("number", "likelihood ratio below which a dialogue is dropped", default=0.5),
        "greeting": carebot.ConfigKey("string", "text that is cut from the start of an answer", default="Hello. "),
    },
)


class Example(carebot.Scorer, carebot.Filter, carebot.Reward):
    """A plugin of all three kinds."""

    def __init__(self, env: carebot.Env) -> None:
        self.low = env.config.get("low", 0)
        self.greeting = env.config.get("greeting", "")
        if self.low < 0:
            raise carebot.Error(f"low is {self.low:g}, below 0")
        self.lm = env.model("lm")
        self.rater = env.model("rater")

    def score(self, documents: list[carebot.Document]) -> list[Rating]:
        """Measures texts and has them rated."""
        rated = self.rater.score([[Turn(Role.RAW, d.text)] for d in documents])
        return [rate(d, outputs[0]) for d, outputs in zip(documents, rated)]

    def filter(self, dialogues: list[carebot.Dialogue]) -> list[Verdict]:
        """Compares the likelihood of the last turn with and without what came before it."""
        asked = [d.turns for d in dialogues if len(d.turns) > 1]
        requests = [LogLikRequest(turns[:-1], turns[-1].text, turns[-2:-1]) for turns in asked]
        likelihoods = iter(self.lm.loglik(requests))
        logging.info("%d of %d dialogues compared", len(requests), len(dialogues))
        return [
            self.verdict(d.turns, next(likelihoods)) if len(d.turns) > 1 else Verdict(Action.DROP, reasons=["short"])
            for d in dialogues
        ]

    def verdict(self, turns: list[Turn], likelihood: LogLik) -> Verdict:
        """Drops what is incoherent and cuts greetings from the rest."""
        v = Verdict(score=likelihood.log_prob2 / likelihood.log_prob, detail=f"{likelihood.tokens} tokens")
        if v.score < self.low:
            v.action, v.reasons = Action.DROP, ["incoherent"]
            return v
        for i, turn in enumerate(turns):
            if turn.role == Role.ASSISTANT and turn.text.startswith(self.greeting):
                v.action = Action.EDIT
                v.edits.append(Edit(i, EditOp.REPLACE, turn.text[len(self.greeting) :]))
        return v

    def reward(self, samples: list[carebot.Sample]) -> list[Judgement]:
        """Prefers the reference and what lies near it."""
        vectors = self.lm.embed([text for s in samples for text in (s.response, s.reference)])
        return [judge(s, vectors[2 * i], vectors[2 * i + 1]) for i, s in enumerate(samples)]


def rate(d: carebot.Document, rated: float) -> Rating:
    """A text without a letter is not rated; one in no language is not judged at all."""
    if d.language == "und":
        return Rating(status=Status.ABSTAIN, detail="no language")
    scores = {"runes": len(d.text), "spaces": d.text.count(" ") / max(len(d.text), 1), "exact": 0}
    if d.text:
        scores["rated"] = rated
    return Rating(scores, detail=d.meta)


def judge(s: carebot.Sample, response: list[float], reference: list[float]) -> Judgement:
    """The sum is in the order of the vectors, so that it rounds as the Go original does."""
    near, exact = 0.0, float(s.response == s.reference)
    for a, b in zip(response, reference):
        near += a * b
    return Judgement(exact + near, {"exact": exact, "runes": near})


if __name__ == "__main__":
    carebot.serve(Example, MANIFEST)
