#!/usr/bin/env python3
"""The stateful conformance example, sdk/sdktest/example/median, in Python: it judges when it has seen all dialogues."""

from __future__ import annotations

import carebot
from carebot import Action, Verdict


class Median(carebot.Filter):
    """Postpones what it cannot judge yet."""

    def __init__(self, env: carebot.Env) -> None:
        super().__init__(env)
        self.lengths: list[int] = []

    def filter(self, dialogues: list[carebot.Dialogue]) -> list[Verdict]:
        """Drops empty dialogues and postpones the others."""
        verdicts = []
        for dialogue in dialogues:
            length = sum(len(turn.text.encode()) for turn in dialogue.turns)
            if length:
                self.lengths.append(length)
            verdicts.append(Verdict(Action.LATER) if length else Verdict(Action.DROP, reasons=["empty"]))
        return verdicts

    def flush(self) -> list[Verdict]:
        """Drops what is shorter than the median."""
        lengths, self.lengths = self.lengths, []
        median = sorted(lengths)[len(lengths) // 2] if lengths else 0
        return [
            Verdict(Action.DROP, length / median, ["below-median"]) if length < median else Verdict(score=length / median)
            for length in lengths
        ]


if __name__ == "__main__":
    carebot.serve(
        Median,
        carebot.Manifest(
            name="sdktest-median", version="1.0.0", columns=["turns"], reasons=["below-median", "empty"], purity="stateful"
        ),
    )
