import { Builder, mark } from "./builder";
import {
  ANSWER, CONTEXT, CONTEXT2, CONTEXT2_ROLE, CONTEXT2_TEXT, CONTEXT_ROLE, CONTEXT_TEXT, CONTINUATION, EMBED, F64,
  LIST, LOGLIK, LOG_PROB, LOG_PROB2, TEXT, TEXTS, TOKENS, TURNS, TURN_ROLE, TURN_TEXT, U32, VALUE, VECTOR,
} from "./columns";
import { fail } from "./failure";
import { Frame } from "./frame";
import { modelEmbed, modelLogLik, modelScore } from "./host";
import { Turn } from "./records";
import { Utf8 } from "./utf8";

/**
 * Asks for the likelihood of a continuation after a context and, when there is a second context, after that as well.
 * Contexts that are too long lose their oldest tokens; the continuation is cut at its end, equally under both.
 */
@final
export class LogLikRequest {
  constructor(readonly context: Turn[], readonly continuation: Utf8, readonly context2: Turn[] | null = null) {}
}

/** The answer: sums over the same tokens under both contexts (logProb2 is 0 without a second one). */
@final
export class LogLik {
  constructor(readonly logProb: f64, readonly logProb2: f64, readonly tokens: i32) {}
}

/**
 * One of the host's models. Requests are answered in order, one answer for each, null when the model fails; the host
 * batches them over all instances of all plugins. Turns are rendered by the model's chat template, turns of Role.Raw
 * are taken as they are.
 */
@final
export class Model {
  constructor(
    /** The manifest's name for it. */
    readonly name: string,
    /** Its own name. */
    readonly model: string,
    /** The longest input. */
    readonly maxTokens: i32,
    /** The width of score()'s answers, 0 when the model has no head. */
    readonly outputs: i32,
    /** The width of embed()'s answers. */
    readonly hidden: i32,
    private readonly index: i32,
  ) {}

  /** Sums the log-probabilities (natural logarithm) of the continuations' tokens. */
  loglik(requests: LogLikRequest[]): LogLik[] | null {
    const answers = new Array<LogLik>();
    for (let from = 0; from < requests.length;) {
      const part = new Part(20);
      while (part.takes(requests.length - from)) part.add(requestSize(requests[from + part.rows]));
      writeLogLik(requests.slice(from, from + part.rows));
      const frame = this.ask(LOGLIK, part);
      if (!frame || !readLogLik(frame, answers)) return null;
      from += part.rows;
    }
    return answers;
  }

  /** Runs the classification, regression or reward head: its raw outputs for each text. */
  score(texts: Turn[][]): Float64Array[] | null {
    const answers = new Array<Float64Array>();
    for (let from = 0; from < texts.length;) {
      const part = new Part(8 * this.outputs);
      while (part.takes(texts.length - from)) part.add(turnsSize(texts[from + part.rows]));
      writeTexts(texts.slice(from, from + part.rows));
      const frame = this.ask(TEXTS, part);
      if (!frame || !readVectors(frame, answers)) return null;
      from += part.rows;
    }
    return answers;
  }

  /** One vector for each text. */
  embed(texts: Utf8[]): Float64Array[] | null {
    const answers = new Array<Float64Array>();
    for (let from = 0; from < texts.length;) {
      const part = new Part(8 * this.hidden);
      while (part.takes(texts.length - from)) part.add(texts[from + part.rows].length);
      writeEmbed(texts.slice(from, from + part.rows));
      const frame = this.ask(EMBED, part);
      if (!frame || !readVectors(frame, answers)) return null;
      from += part.rows;
    }
    return answers;
  }

  /** Sends the request that has been written and returns the answer, which has the rows of the request. */
  private ask(kind: i32, part: Part): Frame | null {
    if (!request.finish()) return null;
    const room = part.answer;
    if (room > answerRoom) {
      heap.free(answerAt);
      answerAt = heap.alloc(room);
      answerRoom = room;
    }
    const length = call(kind, this.index, room);
    if (length < 0 || length > room) {
      fail(`the host answers ${length} to a model request`);
      return null;
    }
    const frame = Frame.parse(answerAt, length);
    if (!frame) return null;
    frame.expect(kind | ANSWER);
    if (frame.ok && frame.rows != part.rows) {
      frame.ok = fail(`${frame.rows} answers of the model to ${part.rows} requests`);
    }
    return frame.ok ? frame : null;
  }
}

export const request = new Builder();
let answerAt: usize = heap.alloc(16);
let answerRoom: i32 = 16;

function call(kind: i32, model: i32, room: i32): i32 {
  switch (kind) {
    case LOGLIK: return modelLogLik(model, request.start, request.length, answerAt, room);
    case TEXTS: return modelScore(model, request.start, request.length, answerAt, room);
    default: return modelEmbed(model, request.start, request.length, answerAt, room);
  }
}

/** Bounds of one model request. A longer list is asked in parts; answers do not depend on how. */
const PART_ROWS = 4096;
const PART_BYTES = 4 << 20;

/** What bounds an answer: header, directory and padding; a row's offsets and its failure. */
const ANSWER_BASE = 4096;
const ANSWER_ROW = 4;

/** Some of the items of a list that go into one request. */
@final
class Part {
  rows: i32 = 0;
  private bytes: i32 = 0;

  /** `each` is what a row takes at most in the answer. */
  constructor(private readonly each: i32) {}

  /** Whether one more of `left` items from its start fits. */
  takes(left: i32): bool {
    return this.rows < left && this.rows < PART_ROWS && this.bytes <= PART_BYTES;
  }

  add(size: i32): void {
    this.rows++;
    this.bytes += size + this.each;
  }

  /** The bytes that the answer has at most. */
  get answer(): i32 {
    return ANSWER_BASE + this.rows * (this.each + ANSWER_ROW);
  }
}

function turnsSize(turns: Turn[]): i32 {
  let size = 0;
  for (let i = 0; i < turns.length; i++) size += turns[i].text.length + 5;
  return size;
}

function requestSize(r: LogLikRequest): i32 {
  const second = r.context2;
  return turnsSize(r.context) + (second ? turnsSize(second) : 0) + r.continuation.length;
}

/** Writes a request for likelihoods. A second context that is null is marked as absent. */
export function writeLogLik(requests: LogLikRequest[]): void {
  const n = requests.length;
  request.begin(LOGLIK, n, 7, 0);
  const first: Turn[][] = [], second: Turn[][] = [];
  for (let i = 0; i < n; i++) {
    const context2 = requests[i].context2;
    first.push(requests[i].context);
    second.push(context2 ? context2 : []);
  }
  writeLists(CONTEXT, first);
  request.turns(CONTEXT_ROLE, CONTEXT_TEXT, first.flat());
  writeLists(CONTEXT2, second);
  const bits = request.validity(n);
  for (let i = 0; i < n; i++) {
    if (requests[i].context2) mark(bits, i);
  }
  request.turns(CONTEXT2_ROLE, CONTEXT2_TEXT, second.flat());
  const continuation = request.texts(CONTINUATION, n);
  for (let i = 0; i < n; i++) request.text(continuation, i, requests[i].continuation);
}

/** Writes a request for outputs of the head. */
export function writeTexts(texts: Turn[][]): void {
  request.begin(TEXTS, texts.length, 3, 0);
  writeLists(TURNS, texts);
  request.turns(TURN_ROLE, TURN_TEXT, texts.flat());
}

function writeLists(id: u16, lists: Turn[][]): void {
  const at = request.lists(id, lists.length);
  for (let i = 0; i < lists.length; i++) request.count(at, i, lists[i].length);
}

/** Writes a request for embeddings. */
export function writeEmbed(texts: Utf8[]): void {
  request.begin(EMBED, texts.length, 1, 0);
  const offsets = request.texts(TEXT, texts.length);
  for (let i = 0; i < texts.length; i++) request.text(offsets, i, texts[i]);
}

/** Reads likelihoods to the end of a list. */
export function readLogLik(frame: Frame, into: LogLik[]): bool {
  const logProb = frame.column(LOG_PROB, F64), logProb2 = frame.column(LOG_PROB2, F64);
  const tokens = frame.column(TOKENS, U32);
  if (!frame.ok) return false;
  for (let i = 0; i < frame.rows; i++) into.push(new LogLik(logProb.f64(i), logProb2.f64(i), tokens.u32(i)));
  return true;
}

/** Reads vectors to the end of a list. */
export function readVectors(frame: Frame, into: Float64Array[]): bool {
  const lists = frame.column(VECTOR, LIST);
  const values = frame.column(VALUE, F64, lists.children);
  if (!frame.ok) return false;
  for (let i = 0; i < frame.rows; i++) {
    const from = lists.offset(i);
    const vector = new Float64Array(lists.offset(i + 1) - from);
    for (let k = 0; k < vector.length; k++) vector[k] = values.f64(from + k);
    into.push(vector);
  }
  return true;
}
