import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { instantiate } from "../build/golden.js";

const frames = new URL("../../sdktest/testdata/frames/", import.meta.url);
const names = readdirSync(frames).map((file) => file.replace(".hex", ""));

/** The bytes of a golden frame. */
function golden(name) {
  return Buffer.from(readFileSync(new URL(`${name}.hex`, frames), "utf8").replace(/\s/g, ""), "hex");
}

const logged = [];

/** A module, with the host's functions that tests need. */
async function load(file) {
  const module = await WebAssembly.compile(readFileSync(new URL(`../build/${file}.wasm`, import.meta.url)));
  let memory;
  const log = (level, at, length) => logged.push(Buffer.from(memory.buffer, at, length).toString());
  const model = () => -1;
  return {
    module, dp1: { log, model_loglik: model, model_score: model, model_embed: model },
    use(exports) {
      memory = exports.memory;
      return exports;
    },
  };
}

const kit = await load("golden");
const sdk = kit.use(await instantiate(kit.module, kit));

/** Puts bytes where the module reads them. */
function put(exports, at, bytes) {
  new Uint8Array(exports.memory.buffer).set(bytes, at);
  return bytes.length;
}

/** The bytes at an address and length in one number. */
function unpack(exports, packed) {
  const number = BigInt.asUintN(64, packed);
  const at = Number(number >> 32n), length = Number(number & 0xffffffffn);
  return Buffer.from(exports.memory.buffer.slice(at, at + length));
}

for (const name of names) {
  const key = name.replace("-", "_");
  test(`golden frame ${name}`, () => {
    const length = put(sdk, sdk.place(), golden(name));
    assert.deepEqual(unpack(sdk, sdk.copy_frame(length)), golden(name));
    assert(sdk[`read_${key}`] || sdk[`write_${key}`], "nothing reads or writes the frame");
    sdk[`read_${key}`]?.(length);
    if (sdk[`write_${key}`]) assert.deepEqual(unpack(sdk, sdk[`write_${key}`]()), golden(name));
  });

  test(`${name} with any part of it damaged is refused or read within its bounds`, () => {
    const frame = golden(name);
    for (let at = 0; at < frame.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const damaged = Buffer.from(frame);
        damaged[at] = value;
        const length = put(sdk, sdk.place(), damaged);
        if (sdk.parses(length)) sdk.copy_frame(length);
      }
      assert(!sdk.parses(put(sdk, sdk.place(), frame.subarray(0, at))));
    }
  });
}

test("texts", () => sdk.texts());
test("broken texts", () => sdk.broken_texts());

test("JSON", () => {
  for (const [text, want] of [
    [' {"a": [1, -2.5e1, true, null], "b": {"c": "d"}, "e": []} ', "{a:[1.0,-25.0,true,null],b:{c:'d'},e:[]}"],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t\\u5934\\ud83e\\udec0\u{1fac0}"', "'\"\\/\b\f\n\r\t头\u{1fac0}\u{1fac0}'"],
    ["false", "false"], ["{}", "{}"], ["-0", "0.0"],
    ["", ""], ["{", ""], ["[1,]", ""], ["{\"a\"}", ""], ["01", ""], ["1.", ""], ["1e", ""], ["-", ""], ["tru", ""],
    ['"a', ""], ['"\n"', ""], ['"\\x"', ""], ['"\\u12"', ""], ["1 2", ""], ["{} {}", ""], ["\"\\", ""],
    ["[".repeat(66) + "]".repeat(66), ""], ["[".repeat(60) + "]".repeat(60), "[".repeat(60) + "]".repeat(60)],
  ]) assert.equal(sdk.json(text), want, text);
});

test("numbers of JSON are the nearest ones", () => {
  for (let i = 0; i < 20000; i++) {
    const text = String(Number((Math.random() * 10 ** (i % 13 - 6)).toPrecision(1 + i % 15)));
    assert.equal(sdk.jsonNumber(text), Number(text), text);
  }
});

test("names that are not registered", () => {
  assert.throws(() => sdk.undeclaredScore(), WebAssembly.RuntimeError);
  assert.match(logged.pop(), /^score c is not registered \(.*answers\.ts:\d+:\d+\)$/);
  assert.equal(sdk.undeclaredReason(), 'reason "late" is not registered');
});

/** An opened instance of the plugin letters. */
async function plugin() {
  const host = await load("letters");
  const exports = host.use((await WebAssembly.instantiate(host.module, host)).exports);
  exports._initialize();
  const open = golden("open");
  assert.equal(exports.dp_open(exports.dp_alloc(1 << 16), put(exports, exports.dp_alloc(1 << 16), open)), 0);
  return exports;
}

/** Puts another text into the golden documents. */
function documents(text) {
  const frame = golden("documents");
  frame.set(Buffer.from(text.padEnd(6)), frame.indexOf(Buffer.from("héllo")));
  return frame;
}

test("the memory does not grow over 10,000 batches", async () => {
  const exports = await plugin();
  let before;
  for (let i = 0; i < 10000; i++) {
    const length = put(exports, exports.dp_alloc(1 << 16), i % 2 ? golden("dialogues") : golden("documents"));
    assert.notEqual(exports.dp_run(i % 2 ? 2 : 1, exports.dp_alloc(1 << 16), length), 0n);
    if (i == 10) before = exports.memory.buffer.byteLength;
  }
  assert.equal(exports.memory.buffer.byteLength, before);
});

test("a failure is told, an abort is logged", async () => {
  const exports = await plugin();
  const at = exports.dp_alloc(1 << 16);
  const run = (frame, kind) => exports.dp_run(kind, at, put(exports, at, frame));
  const reason = () => unpack(exports, exports.dp_error()).toString();
  assert.equal(run(golden("documents").subarray(0, 20), 1), 0n);
  assert.match(reason(), /header/);
  assert.equal(run(documents("fail"), 1), 0n);
  assert.equal(reason(), "as asked");
  assert.throws(() => run(documents("abort"), 1), WebAssembly.RuntimeError);
  assert.match(logged.pop(), /^as asked \(tests\/letters\.ts:\d+:\d+\)$/);
  assert.equal(run(golden("samples"), 3), 0n);
  assert.equal(reason(), "the plugin is not a reward");
  assert.equal(run(golden("samples"), 4), 0n);
  assert.equal(reason(), "unknown kind of request 4");
  assert.equal(run(golden("open"), 1), 0n);
  assert.equal(reason(), "frame of kind 32, not 1");
});
