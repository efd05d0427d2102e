//! The stateful plugin of the conformance tests: it judges when it has seen all dialogues.

use carebot::{Dialogue, Env, Filter, Flusher, Plugin, Result, Verdict};

struct Median {
    lengths: Vec<usize>,
}

impl Plugin for Median {
    fn open(_: &Env) -> Result<Self> {
        Ok(Median { lengths: Vec::new() })
    }
}

/// Drops empty dialogues and postpones the others.
impl Filter for Median {
    fn filter(&mut self, dialogues: &[Dialogue]) -> Result<Vec<Verdict>> {
        let mut judge = |d: &Dialogue| {
            let length = d.turns.iter().map(|t| t.text.len()).sum();
            if length == 0 {
                return Verdict::drop("empty");
            }
            self.lengths.push(length);
            Verdict::later()
        };
        Ok(dialogues.iter().map(&mut judge).collect())
    }
}

/// Drops what is shorter than the median.
impl Flusher for Median {
    fn flush(&mut self) -> Result<Vec<Verdict>> {
        let lengths = std::mem::take(&mut self.lengths);
        let mut sorted = lengths.clone();
        sorted.sort_unstable();
        let judge = |&length: &usize| {
            let median = sorted[sorted.len() / 2];
            let verdict = if length < median { Verdict::drop("below-median") } else { Verdict::keep() };
            Verdict { score: length as f64 / median as f64, ..verdict }
        };
        Ok(lengths.iter().map(judge).collect())
    }
}

carebot::plugin!(Median: Flusher);
