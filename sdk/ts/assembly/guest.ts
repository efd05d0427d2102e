import "./abort"; // for the compiler, which puts it in the place of env.abort
import { Builder } from "./builder";
import { DIALOGUES, DOCUMENTS, MAX_FRAME, SAMPLES } from "./columns";
import { fail, failure } from "./failure";
import { Frame } from "./frame";
import { readOpening } from "./opening";
import { Plugin, registered } from "./plugin";
import { writeJudgements, writeRatings, writeVerdicts } from "./replies";
import { readDialogues, readDocuments, readSamples } from "./requests";

const answer = new Builder();
let arena: usize = 0; // where the host writes requests
let arenaRoom: u32 = 0;
let reason: ArrayBuffer = new ArrayBuffer(0);

export function dp_abi_version(): i32 {
  return 1 << 16;
}

export function dp_alloc(size: u32): usize {
  if (size > <u32>MAX_FRAME) return 0;
  if (size > arenaRoom) {
    if (arena) heap.free(arena);
    arena = heap.alloc(size);
    arenaRoom = size;
  }
  return arena;
}

export function dp_open(at: usize, length: i32): i32 {
  const frame = Frame.parse(at, length);
  const env = frame ? readOpening(frame) : null;
  return env && plugin().open(env) ? 0 : -1;
}

export function dp_run(kind: i32, at: usize, length: i32): u64 {
  __collect(); // what earlier calls have left; nothing is on the stack yet
  const frame = Frame.parse(at, length);
  if (!frame) return 0;
  switch (kind) {
    case DOCUMENTS: return packed(score(frame));
    case DIALOGUES: return packed(filter(frame));
    case SAMPLES: return packed(reward(frame));
    default: return packed(fail(`unknown kind of request ${kind}`));
  }
}

export function dp_flush(kind: i32): u64 {
  __collect();
  if (kind != DIALOGUES) return packed(fail(`requests of kind ${kind} have nothing to flush`));
  const verdicts = plugin().flush();
  return packed(verdicts != null && writeVerdicts(answer, 0, verdicts));
}

export function dp_error(): u64 {
  reason = String.UTF8.encode(failure());
  return (<u64>changetype<usize>(reason) << 32) | reason.byteLength;
}

function plugin(): Plugin {
  const plugin = registered;
  if (!plugin) throw new Error("the entry file registers no plugin");
  return plugin;
}

/** Address and length of the answer in one number, 0 when there is none. */
function packed(answered: bool): u64 {
  return answered ? (<u64>answer.start << 32) | answer.length : 0;
}

function score(frame: Frame): bool {
  const documents = readDocuments(frame);
  if (!documents) return false;
  const ratings = plugin().score(documents);
  return ratings != null && complete(ratings.length, frame) && writeRatings(answer, frame.batch, ratings);
}

function filter(frame: Frame): bool {
  const dialogues = readDialogues(frame);
  if (!dialogues) return false;
  const verdicts = plugin().filter(dialogues);
  return verdicts != null && complete(verdicts.length, frame) && writeVerdicts(answer, frame.batch, verdicts);
}

function reward(frame: Frame): bool {
  const samples = readSamples(frame);
  if (!samples) return false;
  const judgements = plugin().reward(samples);
  return judgements != null && complete(judgements.length, frame) && writeJudgements(answer, frame.batch, judgements);
}

/** Fails when there is not one answer for each record. */
function complete(answers: i32, frame: Frame): bool {
  return answers == frame.rows || fail(`${answers} answers to ${frame.rows} records`);
}
