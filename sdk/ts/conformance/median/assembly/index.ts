// The stateful conformance example, sdk/sdktest/example/median, in AssemblyScript: it judges when it has seen all
// dialogues.
import { Action, Dialogue, Filter, Turn, Verdict, register } from "@carebot/sdk";

export * from "@carebot/sdk/exports";

class Median extends Filter {
  private lengths: i32[] = [];

  /** Drops empty dialogues and postpones the others. */
  filter(dialogues: Dialogue[]): Verdict[] | null {
    const verdicts: Verdict[] = [];
    for (let i = 0; i < dialogues.length; i++) {
      const length = size(dialogues[i].turns);
      if (length > 0) this.lengths.push(length);
      verdicts.push(length > 0 ? new Verdict(Action.Later) : Verdict.drop("empty"));
    }
    return verdicts;
  }

  /** Drops what is shorter than the median. */
  flush(): Verdict[] | null {
    const sorted = this.lengths.slice().sort();
    const verdicts: Verdict[] = [];
    for (let i = 0; i < sorted.length; i++) {
      const length = this.lengths[i], median = sorted[sorted.length / 2];
      const verdict = length < median ? Verdict.drop("below-median") : new Verdict();
      verdict.score = <f64>length / <f64>median;
      verdicts.push(verdict);
    }
    this.lengths = [];
    return verdicts;
  }
}

function size(turns: Turn[]): i32 {
  let bytes = 0;
  for (let i = 0; i < turns.length; i++) bytes += turns[i].text.length;
  return bytes;
}

register(new Median(), [], ["below-median", "empty"]);
