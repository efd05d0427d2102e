"""DataTrove's filters for Gopher, C4 and FineWeb, on the documents of a file."""
import importlib.metadata
import json

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter)

import peer

FILTERS = [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False),
           FineWebQualityFilter()]


def filters(r):
    """A document that a filter drops is not shown to the next."""
    with open(r["documents"], encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]

    def run():
        for text in texts:
            document = Document(text=text, id="")
            for f in FILTERS:
                if f.filter(document) is not True:
                    break

    return run


peer.serve({"filters": filters}, f"DataTrove {importlib.metadata.version('datatrove')}")
