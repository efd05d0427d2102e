//! my-reward judges answers by whether they contain the reference and are not too long.

use carebot::{Env, Judgement, Plugin, Result, Reward, Sample};

struct MyReward {
    limit: f64, // characters that cost nothing
}

impl Plugin for MyReward {
    fn open(env: &Env) -> Result<Self> {
        let limit = env.config().number("limit")?;
        if limit < 0.0 {
            return Err(format!("limit is {}, below 0", limit).into());
        }
        Ok(MyReward { limit })
    }
}

impl Reward for MyReward {
    fn reward(&mut self, samples: &[Sample]) -> Result<Vec<Judgement>> {
        Ok(samples.iter().map(|sample| self.judge(sample)).collect())
    }
}

impl MyReward {
    fn judge(&self, sample: &Sample) -> Judgement {
        if sample.reference.is_empty() {
            return Judgement::abstain("no reference");
        }
        let over = (sample.response.chars().count() as f64 - self.limit).max(0.0);
        let found = if sample.response.contains(sample.reference) { 1.0 } else { 0.0 };
        let length = -0.001 * over;
        Judgement::new(found + length).part("length", length)
    }
}

carebot::plugin!(MyReward: Reward);
