#!/usr/bin/env python3
"""my-filter drops dialogues that end in nothing new and trims the turns of the others."""

from __future__ import annotations

import carebot
from carebot import Action, Dialogue, Edit, EditOp, Turn, Verdict

MANIFEST = carebot.Manifest(
    name="my-filter",
    version="0.1.0",
    summary="drops dialogues that end in nothing new",
    columns=["turns"],
    reasons=["empty", "repeated"],
)

SPACES = " \t\r\n"


class MyFilter(carebot.Filter):
    """Judges dialogues."""

    def filter(self, dialogues: list[Dialogue]) -> list[Verdict]:
        return [judge(dialogue.turns) for dialogue in dialogues]


def judge(turns: list[Turn]) -> Verdict:
    said = [(turn.role, turn.text.strip(SPACES)) for turn in turns]
    if not said or not said[-1][1]:
        return Verdict(Action.DROP, reasons=["empty"])
    if said[-1] in said[:-1]:
        return Verdict(Action.DROP, reasons=["repeated"])
    edits = [Edit(i, EditOp.REPLACE, text) for i, (_, text) in enumerate(said) if text != turns[i].text]
    return Verdict(Action.EDIT if edits else Action.KEEP, edits=edits)


if __name__ == "__main__":
    carebot.serve(MyFilter, MANIFEST)
