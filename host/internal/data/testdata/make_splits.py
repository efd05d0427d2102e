"""Makes splits.json, in which datasets 5.2.0 says which files of a folder belong to which split."""

import json
import os
import pathlib
import random
import tempfile

from datasets.data_files import DataFilesDict, get_data_patterns

random.seed(3)
names = """train test validation dev val valid eval training a b latest my-train test_1 train-00000-of-00002
train-00001-of-00002 dev_sft-00000-of-00001 data.test trainer 1test2 evaluation testing_b part-0 restval""".split() + ["x train y"]
folders = ["", "data", "train", "test", "en", "raw/dev", "data/test", "sub/data", "val-set"]

lines = []
for _ in range(150):
    files = sorted({os.path.join(random.choice(folders), random.choice(names) + ".jsonl") for _ in range(random.randint(1, 6))})
    with tempfile.TemporaryDirectory() as top:
        for name in files:
            file = pathlib.Path(top, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("{}\n")
        found = DataFilesDict.from_patterns(get_data_patterns(top), base_path=top)
        splits = {str(split): sorted(os.path.relpath(f, os.path.realpath(top)) for f in all) for split, all in found.items()}
    lines.append(json.dumps({"files": files, "splits": splits}))
pathlib.Path(__file__).with_name("splits.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
