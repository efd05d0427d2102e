import { Edit, Judgement, Rating, Scored, Verdict } from "./answers";
import { Builder, mark } from "./builder";
import {
  ACTION, ANSWER, DETAIL, DIALOGUES, DOCUMENTS, EDIT_OP, EDIT_ROW, EDIT_TEXT, EDIT_TURN, F32, REASON, REASONS, REWARD,
  SAMPLES, SCORE, SCORES, STATUS, U16, U32, U8,
} from "./columns";
import { fail } from "./failure";
import { reasonNames, scoreNames } from "./tables";

/** Writes the answer to documents. */
export function writeRatings(b: Builder, batch: u64, ratings: Rating[]): bool {
  const n = ratings.length;
  b.begin(DOCUMENTS | ANSWER, n, 2 + scoreNames.length, batch);
  const status = b.values(STATUS, U8, n);
  for (let i = 0; status && i < n; i++) store<u8>(status + i, <u8>ratings[i].status);
  const details = b.texts(DETAIL, n);
  for (let i = 0; i < n; i++) b.detail(details, i, ratings[i].detail);
  writeScores(b, changetype<Scored[]>(ratings));
  return b.finish();
}

/** Writes the answer to samples. */
export function writeJudgements(b: Builder, batch: u64, judgements: Judgement[]): bool {
  const n = judgements.length;
  b.begin(SAMPLES | ANSWER, n, 3 + scoreNames.length, batch);
  const status = b.values(STATUS, U8, n);
  for (let i = 0; status && i < n; i++) store<u8>(status + i, <u8>judgements[i].status);
  const details = b.texts(DETAIL, n);
  for (let i = 0; i < n; i++) b.detail(details, i, judgements[i].detail);
  const reward = b.values(REWARD, F32, n);
  for (let i = 0; reward && i < n; i++) store<f32>(reward + 4 * i, <f32>judgements[i].reward);
  writeScores(b, changetype<Scored[]>(judgements));
  return b.finish();
}

/** Adds one column for each registered score. */
function writeScores(b: Builder, rows: Scored[]): void {
  const n = rows.length;
  for (let k = 0; k < scoreNames.length; k++) {
    const values = b.values(SCORES + <u16>k, F32, n);
    if (!values) return;
    let given = 0;
    for (let i = 0; i < n; i++) {
      store<f32>(values + 4 * i, <f32>rows[i].get(k));
      given += i32(rows[i].has(k));
    }
    if (given == n) continue;
    const bits = b.validity(n);
    for (let i = 0; i < n; i++) {
      if (rows[i].has(k)) mark(bits, i);
    }
  }
}

/** Writes the answer to dialogues. A reason that is not registered is a failure. */
export function writeVerdicts(b: Builder, batch: u64, verdicts: Verdict[]): bool {
  const n = verdicts.length;
  b.begin(DIALOGUES | ANSWER, n, 10, batch);
  const status = b.values(STATUS, U8, n);
  for (let i = 0; status && i < n; i++) store<u8>(status + i, <u8>verdicts[i].status);
  const details = b.texts(DETAIL, n);
  for (let i = 0; i < n; i++) b.detail(details, i, verdicts[i].detail);
  const action = b.values(ACTION, U8, n);
  for (let i = 0; action && i < n; i++) store<u8>(action + i, <u8>verdicts[i].action);
  const score = b.values(SCORE, F32, n);
  for (let i = 0; score && i < n; i++) store<f32>(score + 4 * i, <f32>verdicts[i].score);
  if (!writeReasons(b, verdicts)) return false;
  writeEdits(b, verdicts);
  return b.finish();
}

/** Adds the reasons of each verdict, by their numbers. */
function writeReasons(b: Builder, verdicts: Verdict[]): bool {
  const numbers: i32[] = [];
  const lists = b.lists(REASONS, verdicts.length);
  for (let i = 0; i < verdicts.length; i++) {
    const reasons = verdicts[i].reasons;
    b.count(lists, i, reasons.length);
    for (let k = 0; k < reasons.length; k++) {
      const number = reasonNames.indexOf(reasons[k]);
      if (number < 0) return fail(`reason "${reasons[k]}" is not registered`);
      numbers.push(number);
    }
  }
  const at = b.values(REASON, U16, numbers.length);
  for (let i = 0; at && i < numbers.length; i++) store<u16>(at + 2 * i, <u16>numbers[i]);
  return true;
}

/** Adds the edits of all verdicts: rows, turns, operations and texts. */
function writeEdits(b: Builder, verdicts: Verdict[]): void {
  const rows: i32[] = [];
  const edits: Edit[] = [];
  for (let i = 0; i < verdicts.length; i++) {
    for (let k = 0; k < verdicts[i].edits.length; k++) {
      rows.push(i);
      edits.push(verdicts[i].edits[k]);
    }
  }
  const n = edits.length;
  const row = b.values(EDIT_ROW, U32, n);
  for (let i = 0; row && i < n; i++) store<u32>(row + 4 * i, rows[i]);
  const turn = b.values(EDIT_TURN, U32, n);
  for (let i = 0; turn && i < n; i++) store<u32>(turn + 4 * i, edits[i].turn);
  const op = b.values(EDIT_OP, U8, n);
  for (let i = 0; op && i < n; i++) store<u8>(op + i, <u8>edits[i].op);
  const texts = b.texts(EDIT_TEXT, n);
  for (let i = 0; i < n; i++) b.text(texts, i, edits[i].text);
}
