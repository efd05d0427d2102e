"""Makes python.gguf and python.json with the gguf package (0.19) of llama.cpp and numpy.

    python fixtures.py

python.gguf has a value of every kind and a tensor of every type; python.json what a reader must see. Q4_K has no
packer in that package: its block is random bytes with finite scales.
"""
import json
import pathlib

import gguf
import numpy as np

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(11)
w = gguf.GGUFWriter(here / "python.gguf", "llama")
w.add_uint8("k.u8", 200)
w.add_int8("k.i8", -100)
w.add_uint16("k.u16", 60000)
w.add_int16("k.i16", -30000)
w.add_uint32("k.u32", 4000000000)
w.add_int32("k.i32", -2000000000)
w.add_uint64("k.u64", 1 << 63)
w.add_int64("k.i64", -(1 << 62))
w.add_float32("k.f32", 0.5)
w.add_float64("k.f64", 0.1)
w.add_bool("k.bool", True)
w.add_string("k.string", "zwölf 十二")
w.add_array("k.strings", ["a", "", "ü"])
w.add_array("k.floats", [1.5, -2.5])
w.add_array("k.ints", [3, -4])

values = rng.standard_normal((3, 256)).astype(np.float32) * np.float32(0.3)
want = {"values": values.ravel().tolist(), "tensors": {}}
for name, kind in [("f32", "F32"), ("f16", "F16"), ("bf16", "BF16"), ("q8", "Q8_0")]:
    t = gguf.GGMLQuantizationType[kind]
    packed = gguf.quants.quantize(values, t)
    w.add_tensor(name, packed, raw_dtype=t)
    want["tensors"][name] = {
        "type": kind, "shape": [3, 256], "bytes": packed.tobytes().hex(),
        "values": gguf.quants.dequantize(packed, t).ravel().tolist(),
    }
block = rng.integers(0, 256, (2, 144), dtype=np.uint8)
block[:, 0:2] = np.frombuffer(np.float16(0.01).tobytes(), dtype=np.uint8)
block[:, 2:4] = np.frombuffer(np.float16(0.02).tobytes(), dtype=np.uint8)
t = gguf.GGMLQuantizationType.Q4_K
w.add_tensor("q4", block, raw_dtype=t)
want["tensors"]["q4"] = {"type": "Q4_K", "shape": [2, 256], "bytes": block.tobytes().hex(),
                         "values": gguf.quants.dequantize(block, t).ravel().tolist()}
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
(here / "python.json").write_text(json.dumps(want) + "\n")
