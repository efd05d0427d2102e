"""Makes the Arrow files of the tests beside it, by pyarrow 26.0.1; rows.json is what they hold."""

import json
import pathlib

import pyarrow as pa
import pyarrow.ipc as ipc

here = pathlib.Path(__file__).parent

schema = pa.schema([
    ("text", pa.string()), ("large", pa.large_string()), ("raw", pa.binary()), ("nothing", pa.null()),
    ("i8", pa.int8()), ("u16", pa.uint16()), ("i64", pa.int64()), ("u64", pa.uint64()),
    ("f16", pa.float16()), ("f32", pa.float32()), ("f64", pa.float64()), ("yes", pa.bool_()),
    ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string()), ("at", pa.date32())]))),
    ("ids", pa.large_list(pa.int32())), ("pair", pa.list_(pa.int16(), 2)),
    ("label", pa.dictionary(pa.int8(), pa.string())), ("labels", pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    ("map", pa.map_(pa.string(), pa.int64())), ("day", pa.timestamp("us")), ("days", pa.list_(pa.date64())),
    ("price", pa.decimal128(9, 2)),
])


def row(i):
    if i % 7 == 6:
        return {name: None for name in schema.names}
    turns = [{"role": ["user", "assistant"][j % 2], "content": f"turn {j} of {i}", "at": j} for j in range(i % 4)]
    return {
        "text": f"text {i} 中文", "large": "x" * (i % 40), "raw": bytes([65 + i % 26]), "nothing": None,
        "i8": i - 50, "u16": 60000 + i, "i64": -(10**15) * i, "u64": 2**63 + i,
        "f16": [0.0, -0.5, 65504.0, 2.0**-24, 1.5][i % 5], "f32": i / 4, "f64": i / 3, "yes": i % 3 == 0,
        "messages": turns, "ids": list(range(i % 5)), "pair": [i, -i],
        "label": ["good", "bad", "中"][i % 3], "labels": ["a", "b"][: i % 3], "map": {"k": i} if i % 2 else {},
        "day": i, "days": [i], "price": None,
    }


def left_out(value):
    """The row as the reader sees it: without the columns it leaves out."""
    value = {k: v for k, v in value.items() if k not in ("day", "days", "price")}
    for turn in value["messages"] or []:
        del turn["at"]
    if value["raw"] is not None:
        value["raw"] = value["raw"].decode()
    return value


rows = [row(i) for i in range(100)]
table = pa.Table.from_pylist(
    [{**r, "map": r["map"] and list(r["map"].items())} for r in rows], schema=schema)
for name, codec in ("plain", None), ("lz4", "lz4"), ("zstd", "zstd"):
    options = ipc.IpcWriteOptions(compression=codec, emit_dictionary_deltas=True)
    with ipc.new_stream(str(here / f"{name}.arrow"), schema, options=options) as out:
        out.write_table(table, max_chunksize=40)
legacy = ipc.IpcWriteOptions(use_legacy_format=True)
with ipc.new_stream(str(here / "legacy.arrow"), schema, options=legacy) as out:
    out.write_table(table)
with ipc.new_file(str(here / "file.arrow"), schema) as out:
    out.write_table(table)

# A dictionary that grows from batch to batch, which is written as additions.
words = [pa.array(["a", "b"]), pa.array(["a", "b", "c"])]
batches = [pa.record_batch([pa.DictionaryArray.from_arrays(pa.array(i, pa.int8()), w)], ["word"])
           for i, w in (([0, 1, 0], words[0]), ([2, 1, None], words[1]))]
options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
with ipc.new_stream(str(here / "delta.arrow"), batches[0].schema, options=options) as out:
    for batch in batches:
        out.write_batch(batch)
with ipc.new_stream(str(here / "view.arrow"), pa.schema([("seen", pa.string_view())])) as out:
    out.write_batch(pa.record_batch([pa.array(["a"], pa.string_view())], ["seen"]))

(here / "rows.json").write_text("\n".join(json.dumps(left_out(r), ensure_ascii=False) for r in rows) + "\n")
