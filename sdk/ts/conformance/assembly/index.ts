// The conformance example, sdk/sdktest/example, in AssemblyScript. The host's tests hold it to the answers of the Go
// original, bit for bit.
import {
  Action, Dialogue, Document, Edit, EditOp, Env, Judgement, Level, LogLik, LogLikRequest, Model, Plugin, Rating,
  Role, Sample, Status, Turn, Utf8, Verdict, fail, log, register,
} from "@carebot/sdk";

export * from "@carebot/sdk/exports";

class Example extends Plugin {
  private low: f64 = 0;
  private greeting: Utf8 = Utf8.EMPTY;
  private lm: Model | null = null;
  private rater: Model | null = null;

  open(env: Env): bool {
    this.low = env.config.getNumber("low", 0);
    this.greeting = Utf8.from(env.config.getString("greeting", ""));
    if (this.low < 0) return fail(`low is ${shown(this.low)}, below 0`);
    this.lm = env.model("lm");
    this.rater = env.model("rater");
    return this.lm != null && this.rater != null;
  }

  /** Measures texts and has them rated. */
  score(documents: Document[]): Rating[] | null {
    const texts = documents.map<Turn[]>(d => [new Turn(Role.Raw, d.text)]);
    const rated = this.rater!.score(texts);
    if (!rated) return null;
    const ratings: Rating[] = [];
    for (let i = 0; i < documents.length; i++) ratings.push(rate(documents[i], rated[i][0]));
    return ratings;
  }

  /** Compares the likelihood of the last turn with and without what came before it. */
  filter(dialogues: Dialogue[]): Verdict[] | null {
    const requests: LogLikRequest[] = [];
    for (let i = 0; i < dialogues.length; i++) {
      const turns = dialogues[i].turns, last = turns.length - 1;
      if (last < 1) continue;
      requests.push(new LogLikRequest(turns.slice(0, last), turns[last].text, turns.slice(last - 1, last)));
    }
    const likelihoods = this.lm!.loglik(requests);
    if (!likelihoods) return null;
    const verdicts: Verdict[] = [];
    for (let i = 0, k = 0; i < dialogues.length; i++) {
      const turns = dialogues[i].turns;
      verdicts.push(turns.length < 2 ? Verdict.drop("short") : this.verdict(turns, likelihoods[k++]));
    }
    log(Level.Info, `${requests.length} of ${dialogues.length} dialogues compared`);
    return verdicts;
  }

  private verdict(turns: Turn[], likelihood: LogLik): Verdict {
    const score = likelihood.logProb2 / likelihood.logProb;
    const verdict = score < this.low ? Verdict.drop("incoherent") : this.cut(turns);
    verdict.score = score;
    verdict.detail = `${likelihood.tokens} tokens`;
    return verdict;
  }

  /** Cuts the greeting from the start of answers. */
  private cut(turns: Turn[]): Verdict {
    const verdict = new Verdict();
    for (let i = 0; i < turns.length; i++) {
      const text = turns[i].text;
      if (turns[i].role != Role.Assistant || !text.startsWith(this.greeting)) continue;
      verdict.action = Action.Edit;
      verdict.edits.push(new Edit(i, EditOp.Replace, text.slice(this.greeting.length)));
    }
    return verdict;
  }

  /** Prefers the reference and what lies near it. */
  reward(samples: Sample[]): Judgement[] | null {
    const texts: Utf8[] = [];
    for (let i = 0; i < samples.length; i++) texts.push(samples[i].response), texts.push(samples[i].reference);
    const vectors = this.lm!.embed(texts);
    if (!vectors) return null;
    const judgements: Judgement[] = [];
    for (let i = 0; i < samples.length; i++) {
      const exact: f64 = texts[2 * i] == texts[2 * i + 1] ? 1 : 0;
      const near = dot(vectors[2 * i], vectors[2 * i + 1]);
      const judgement = new Judgement(exact + near);
      judgement.set("exact", exact);
      judgement.set("runes", near);
      judgements.push(judgement);
    }
    return judgements;
  }
}

/** A text without a letter is not rated; one in no language is not judged at all. */
function rate(d: Document, rated: f64): Rating {
  if (d.language.is("und")) return new Rating(Status.Abstain, "no language");
  const rating = new Rating(Status.Ok, d.meta.toString());
  const runes = <f64>d.text.codePointCount;
  rating.set("runes", runes);
  rating.set("spaces", <f64>d.text.countByte(0x20) / max(runes, 1));
  rating.set("exact", 0);
  if (d.text.length) rating.set("rated", rated);
  return rating;
}

function dot(a: Float64Array, b: Float64Array): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

function shown(v: f64): string {
  return v == Math.trunc(v) ? (<i64>v).toString() : v.toString();
}

register(new Example(), ["runes", "spaces", "rated", "exact"], ["short", "incoherent"]);
