#!/usr/bin/env python3
"""my-reward judges answers by whether they contain the reference and are not too long."""

from __future__ import annotations

import carebot
from carebot import Judgement, Sample, Status

MANIFEST = carebot.Manifest(
    name="my-reward",
    version="0.1.0",
    summary="prefers short answers that contain the reference",
    columns=["response", "reference"],
    scores=[carebot.ScoreInfo("length", "what the length takes away", higher_is_better=True)],
    config={"limit": carebot.ConfigKey("integer", "characters that cost nothing", default=400)},
)


class MyReward(carebot.Reward):
    """Judges answers."""

    def __init__(self, env: carebot.Env) -> None:
        super().__init__(env)
        self.limit = env.config.get("limit", 400)
        if self.limit < 0:
            raise carebot.Error(f"limit is {self.limit}, below 0")

    def reward(self, samples: list[Sample]) -> list[Judgement]:
        return [self.judge(sample) for sample in samples]

    def judge(self, sample: Sample) -> Judgement:
        if not sample.reference:
            return Judgement(status=Status.ABSTAIN, detail="no reference")
        length = -0.001 * max(0, len(sample.response) - self.limit)
        return Judgement((sample.reference in sample.response) + length, {"length": length})


if __name__ == "__main__":
    carebot.serve(MyReward, MANIFEST)
