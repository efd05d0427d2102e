// my-reward judges answers by whether they contain the reference and are not too long.
import { Env, Judgement, Reward, Sample, Status, fail, register } from "@carebot/sdk";

export * from "@carebot/sdk/exports";

class MyReward extends Reward {
  private limit: i32 = 0;

  open(env: Env): bool {
    this.limit = <i32>env.config.getNumber("limit", 400);
    return this.limit >= 0 || fail(`limit is ${this.limit}, below 0`);
  }

  reward(samples: Sample[]): Judgement[] | null {
    const judgements: Judgement[] = [];
    for (let i = 0; i < samples.length; i++) judgements.push(this.judge(samples[i]));
    return judgements;
  }

  private judge(sample: Sample): Judgement {
    if (sample.reference.length == 0) return new Judgement(0, Status.Abstain, "no reference");
    const found: f64 = sample.response.includes(sample.reference) ? 1 : 0;
    const length = -0.001 * <f64>max(0, sample.response.codePointCount - this.limit);
    const judgement = new Judgement(found + length);
    judgement.set("length", length);
    return judgement;
  }
}

// The names are those of manifest.json, in its order.
register(new MyReward(), ["length"]);
