"""Makes the folders that the tests read, by save_to_disk of datasets 5.2.0."""

import pathlib

import datasets

here = pathlib.Path(__file__).parent
rows = [{"messages": [{"role": "user", "content": f"question {i}"}, {"role": "assistant", "content": f"answer {i}"}]}
        for i in range(5)]
one = datasets.Dataset.from_list(rows)
one.save_to_disk(here / "saved", num_shards=2)
datasets.DatasetDict({"train": one.select(range(3)), "test": one.select(range(3, 5))}).save_to_disk(here / "saved_splits")
