#!/usr/bin/env python3
"""my-scorer rates documents by their letters and their length."""

from __future__ import annotations

import carebot
from carebot import Document, Rating, Status

MANIFEST = carebot.Manifest(
    name="my-scorer",
    version="0.1.0",
    summary="share of letters, and length",
    columns=["text"],
    scores=[
        carebot.ScoreInfo("letters", "share of characters that are letters", min=0, max=1, higher_is_better=True),
        carebot.ScoreInfo("length", "length in characters", min=0, higher_is_better=True),
    ],
)


class MyScorer(carebot.Scorer):
    """Rates documents."""

    def score(self, documents: list[Document]) -> list[Rating]:
        return [rate(document.text) for document in documents]


def rate(text: str) -> Rating:
    if not text:
        return Rating(status=Status.ABSTAIN, detail="no text")
    letters = sum(not c.isascii() or c.isalpha() for c in text)
    return Rating({"letters": letters / len(text), "length": len(text)})


if __name__ == "__main__":
    carebot.serve(MyScorer, MANIFEST)
