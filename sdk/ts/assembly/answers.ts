import { scoreNames } from "./tables";
import { Utf8 } from "./utf8";

/** What an answer is worth. A fault is never a score: the host retries it, then sets the record aside. */
export enum Status {
  /** The answer holds. */
  Ok,
  /** The plugin does not judge this record. */
  Abstain,
  /** The plugin failed on this record; `detail` says why. */
  Fault,
}

/** Marks a score that is not given: a NaN that no computation yields. */
const ABSENT: u64 = 0x7ffc_ab5e_0000_0000;

/** What ratings and judgements share: values for the scores that the plugin has registered. They travel as f32. */
export class Scored {
  private readonly values: StaticArray<u64> = new StaticArray<u64>(scoreNames.length);

  constructor(public status: Status, public detail: string) {
    const values = this.values;
    for (let k = 0; k < values.length; k++) unchecked(values[k] = ABSENT);
  }

  /** Gives the score of that name. A name that is not registered ends the call. */
  set(name: string, value: f64): void {
    const k = scoreNames.indexOf(name);
    if (k < 0) throw new Error(`score ${name} is not registered`);
    this.put(k, value);
  }

  /** Gives score k of those registered, which is faster than by name. */
  put(k: i32, value: f64): void {
    this.values[k] = reinterpret<u64>(value);
  }

  /** Whether score k is given. */
  has(k: i32): bool {
    return this.values[k] != ABSENT;
  }

  /** Score k, 0 when it is not given. */
  get(k: i32): f64 {
    return this.has(k) ? reinterpret<f64>(this.values[k]) : 0;
  }
}

/** Answers one Document. */
@final
export class Rating extends Scored {
  constructor(status: Status = Status.Ok, detail: string = "") {
    super(status, detail);
  }
}

/** What a filter wants done with a dialogue. Later postpones the verdict to flush(). */
export enum Action {
  Keep,
  Drop,
  Edit,
  Later,
}

/** A change to one turn. */
export enum EditOp {
  Replace,
  Delete,
  /** Puts a user or assistant turn, whichever keeps the alternation, before the turn. */
  Insert,
}

/** Changes turn `turn` (counted from 0, in the dialogue as it stands after the edits before this one). */
@final
export class Edit {
  constructor(readonly turn: i32, readonly op: EditOp, readonly text: Utf8 = Utf8.EMPTY) {}
}

/** Answers one Dialogue. `reasons` are names that the plugin has registered; `edits` hold when the action is Edit. */
@final
export class Verdict {
  status: Status = Status.Ok;
  score: f64 = 0; // travels as f32
  reasons: string[] = [];
  edits: Edit[] = [];
  detail: string = "";

  constructor(public action: Action = Action.Keep) {}

  /** Drops the dialogue for that reason. */
  static drop(reason: string): Verdict {
    const verdict = new Verdict(Action.Drop);
    verdict.reasons.push(reason);
    return verdict;
  }
}

/** Answers one Sample. Its scores are the parts of the reward. */
@final
export class Judgement extends Scored {
  constructor(public reward: f64 = 0, status: Status = Status.Ok, detail: string = "") {
    super(status, detail);
  }
}
