// What the golden frames must hold, for golden.test.js: read_NAME checks a frame that was sent, write_NAME writes one,
// copy_frame reads any frame and writes it again.
import { Action, Edit, EditOp, Judgement, Rating, Status, Verdict } from "../assembly/answers";
import { Builder, mark } from "../assembly/builder";
import { BYTES, LIST, width } from "../assembly/columns";
import { failure } from "../assembly/failure";
import { Frame } from "../assembly/frame";
import { Json, JsonType } from "../assembly/json";
import {
  LogLik, LogLikRequest, readLogLik, readVectors, request, writeEmbed, writeLogLik, writeTexts,
} from "../assembly/model";
import { readOpening } from "../assembly/opening";
import { Role, Turn } from "../assembly/records";
import { writeJudgements, writeRatings, writeVerdicts } from "../assembly/replies";
import { readDialogues, readDocuments, readSamples } from "../assembly/requests";
import { setTables } from "../assembly/tables";
import { CodePoints, Utf8 } from "../assembly/utf8";

import "../assembly/abort";

const b = new Builder();
const arena = heap.alloc(1 << 16);

setTables(["a", "b"], ["short", "rude"]);

/** Where a test puts the frame that is to be read. */
export function place(): usize {
  return arena;
}

function frame(length: i32): Frame {
  const frame = Frame.parse(arena, length);
  if (!frame) throw new Error(failure());
  return frame;
}

function packed(ok: bool, b: Builder): u64 {
  assert(ok, failure());
  return (<u64>b.start << 32) | b.length;
}

/** Reads a frame column by column and writes the same. */
export function copy_frame(length: i32): u64 {
  const f = frame(length);
  b.begin(f.kind, f.rows, f.columns.length, f.batch);
  for (let c = 0; c < f.columns.length; c++) {
    const column = f.columns[c];
    if (column.type == BYTES) {
      const texts = b.texts(column.id, column.rows);
      for (let i = 0; i < column.rows; i++) b.text(texts, i, column.text(i));
    } else if (column.type == LIST) {
      const lists = b.lists(column.id, column.rows);
      for (let i = 0; i < column.rows; i++) b.count(lists, i, column.offset(i + 1) - column.offset(i));
    } else {
      const data = b.values(column.id, column.type, column.rows);
      memory.copy(data, column.data, column.rows * width(column.type));
    }
    if (!column.validity) continue;
    const bits = b.validity(column.rows);
    for (let i = 0; i < column.rows; i++) {
      if (load<u8>(column.validity + (i >> 3)) & (1 << (i & 7))) mark(bits, i);
    }
  }
  return packed(b.finish(), b);
}

/** Whether bytes that were sent are a frame. */
export function parses(length: i32): bool {
  return Frame.parse(arena, length) != null;
}

function same(got: Utf8, want: string): void {
  assert(got.is(want), `"${got.toString()}", not "${want}"`);
  assert(got == Utf8.from(want) && got.toString() == want);
}

function sameTurn(turn: Turn, role: Role, text: string): void {
  assert(turn.role == role);
  same(turn.text, text);
}

export function read_documents(length: i32): void {
  const f = frame(length), documents = readDocuments(f)!;
  assert(f.batch == 1 && documents.length == 2);
  same(documents[0].id, "1");
  same(documents[0].text, "héllo");
  same(documents[0].language, "fr");
  same(documents[0].source, "s");
  same(documents[0].meta, "{}");
  same(documents[1].id, "2");
  same(documents[1].text, "");
}

export function read_dialogues(length: i32): void {
  const dialogues = readDialogues(frame(length))!;
  assert(dialogues.length == 2 && dialogues[0].turns.length == 2 && dialogues[1].turns.length == 0);
  sameTurn(dialogues[0].turns[0], Role.User, "头痛？");
  sameTurn(dialogues[0].turns[1], Role.Assistant, "Rest.");
  same(dialogues[0].language, "zh");
  same(dialogues[1].id, "2");
}

export function read_samples(length: i32): void {
  const samples = readSamples(frame(length))!;
  assert(samples.length == 1 && samples[0].history.length == 1);
  sameTurn(samples[0].history[0], Role.User, "头痛？");
  same(samples[0].response, "Rest.");
  same(samples[0].reference, "rest");
}

export function read_open(length: i32): void {
  const env = readOpening(frame(length))!;
  assert(env.config.getNumber("low", 0) == 0.5 && env.seed == 7);
  const model = env.model("lm")!;
  assert(model.model == "boost" && model.maxTokens == 512 && model.outputs == 1 && model.hidden == 64);
  assert(env.model("other") == null && failure() == 'model "other" is not granted');
}

export function read_loglik_answer(length: i32): void {
  const answers: LogLik[] = [];
  assert(readLogLik(frame(length), answers) && answers.length == 1);
  assert(answers[0].logProb == -1.5 && answers[0].logProb2 == -2.25 && answers[0].tokens == 3);
}

export function read_vectors(length: i32): void {
  const vectors: Float64Array[] = [];
  assert(readVectors(frame(length), vectors) && vectors.length == 2);
  assert(vectors[0].length == 2 && vectors[0][0] == 1 && vectors[0][1] == 0.5 && vectors[1].length == 0);
}

export function write_ratings(): u64 {
  const fine = new Rating(Status.Ok, "fine");
  fine.set("a", 0.5);
  return packed(writeRatings(b, 1, [fine, new Rating(Status.Abstain), new Rating(Status.Fault, "broken")]), b);
}

export function write_verdicts(): u64 {
  const keep = new Verdict(), drop = Verdict.drop("rude"), edit = new Verdict(Action.Edit);
  keep.score = 0.25;
  drop.score = -1;
  drop.reasons.push("short");
  edit.edits.push(new Edit(1, EditOp.Replace, Utf8.from("Sleep.")));
  edit.edits.push(new Edit(0, EditOp.Delete));
  return packed(writeVerdicts(b, 2, [keep, drop, edit, new Verdict(Action.Later)]), b);
}

export function write_judgements(): u64 {
  const judgement = new Judgement(1.5);
  judgement.put(0, 1);
  return packed(writeJudgements(b, 3, [judgement]), b);
}

function turns(): Turn[] {
  return [new Turn(Role.User, Utf8.from("头痛？")), new Turn(Role.Assistant, Utf8.from("Rest."))];
}

export function write_loglik(): u64 {
  const first = turns().slice(0, 1);
  writeLogLik([new LogLikRequest(turns(), Utf8.from("c"), first), new LogLikRequest(first, Utf8.from("d"))]);
  return packed(request.finish(), request);
}

export function write_texts(): u64 {
  writeTexts([turns()]);
  return packed(request.finish(), request);
}

export function write_embed(): u64 {
  writeEmbed([Utf8.from("a"), Utf8.from("文")]);
  return packed(request.finish(), request);
}

export function texts(): void {
  const text = Utf8.from(" 头痛 a🫀\n");
  assert(text.codePointCount == 7 && text.length == 14 && text.countByte(0x20) == 2);
  same(text.trim(), "头痛 a🫀");
  same(Utf8.from(" \n").trim(), "");
  assert(text.indexOf(Utf8.from("痛")) == 4 && text.indexOf(Utf8.from("痛"), 5) == -1);
  assert(text.indexOf(Utf8.EMPTY) == 0 && text.includes(Utf8.from("a🫀")) && !text.includes(Utf8.from("b")));
  assert(text.startsWith(Utf8.from(" 头")) && !text.startsWith(Utf8.from("头")));
  assert(text.endsWith(Utf8.from("\n")) && !Utf8.EMPTY.endsWith(text));
  assert(Utf8.from("hello").hash() == 0xa430d84680aabd0b);
  assert(text.copy() == text && text != text.trim() && !text.is(" 头痛 a") && !Utf8.EMPTY.is("a"));
  same(text.slice(4, 1), "");
  let points = "";
  const walk = new CodePoints(text);
  while (walk.next()) points += walk.value.toString(16) + " ";
  assert(points == "20 5934 75db 20 61 1fac0 a ", points);
}

/** A character that is cut off, or is none, reads as U+FFFD, a byte at a time. */
export function broken_texts(): void {
  const text = Utf8.from("🫀a\u00e9");
  const walk = new CodePoints(text.slice(1, text.length - 1));
  let points = "";
  while (walk.next()) points += walk.value.toString(16) + " ";
  assert(points == "fffd fffd fffd 61 fffd ", points);
}

/** What the text is as JSON, written plainly, or nothing. */
export function json(text: string): string {
  const value = Json.parse(Utf8.from(text));
  return value ? plain(value) : "";
}

function plain(value: Json): string {
  switch (value.type) {
    case JsonType.Null: return "null";
    case JsonType.Boolean: return value.number ? "true" : "false";
    case JsonType.Number: return value.number.toString();
    case JsonType.String: return `'${value.text}'`;
    case JsonType.Array: return `[${value.items.map<string>(v => plain(v)).join(",")}]`;
    default: {
      const parts: string[] = [];
      for (let i = 0; i < value.keys.length; i++) parts.push(`${value.keys[i]}:${plain(value.items[i])}`);
      return `{${parts.join(",")}}`;
    }
  }
}

/** The number that a text is read as. */
export function jsonNumber(text: string): f64 {
  return Json.parse(Utf8.from(text))!.number;
}

/** Whether a score that is not registered ends the call. */
export function undeclaredScore(): void {
  new Rating().set("c", 1);
}

export function undeclaredReason(): string {
  assert(!writeVerdicts(b, 0, [Verdict.drop("late")]));
  return failure();
}
