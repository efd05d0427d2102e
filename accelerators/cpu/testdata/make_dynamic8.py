"""Writes dynamic8.json: the two maps of eight bits of bitsandbytes. Run it in this folder; it needs bitsandbytes."""

import json

from bitsandbytes.functional import create_dynamic_map

maps = {"signed": create_dynamic_map(True).tolist(), "unsigned": create_dynamic_map(False).tolist()}
with open("dynamic8.json", "w") as out:
    json.dump(maps, out)
    out.write("\n")
