//! The plugin that every language has for the conformance tests: all three kinds, configuration, edits, models.

use carebot::{
    log, Dialogue, Document, Edit, Env, Filter, Judgement, Level, LogLik, LogLikRequest, Model, Plugin, Rating,
    Result, Reward, Role, Sample, Scorer, Turn, Verdict,
};

struct Example {
    low: f64,
    greeting: String,
    lm: Model,
    rater: Model,
}

impl Plugin for Example {
    fn open(env: &Env) -> Result<Self> {
        let (low, greeting) = (env.config().number("low")?, env.config().text("greeting")?.to_string());
        if low < 0.0 {
            return Err(format!("low is {}, below 0", low).into());
        }
        Ok(Example { low, greeting, lm: env.model("lm")?, rater: env.model("rater")? })
    }
}

/// Measures a text. One without a letter is not rated; one in no language is not judged at all.
fn rate(doc: &Document, rated: &[f64]) -> Rating {
    if doc.language == "und" {
        return Rating::abstain("no language");
    }
    let runes = doc.text.chars().count() as f64;
    let spaces = doc.text.matches(' ').count() as f64;
    let mut rating = Rating::new().score("runes", runes).score("spaces", spaces / runes.max(1.0)).score("exact", 0.0);
    rating.detail = doc.meta.to_string();
    if doc.text.is_empty() {
        return rating;
    }
    rating.score("rated", rated[0])
}

impl Scorer for Example {
    fn score(&mut self, docs: &[Document]) -> Result<Vec<Rating>> {
        let turns: Vec<_> = docs.iter().map(|d| [Turn { role: Role::Raw, text: d.text }]).collect();
        let texts: Vec<&[Turn]> = turns.iter().map(|t| t.as_slice()).collect();
        let rated = self.rater.score(&texts)?;
        Ok(docs.iter().zip(&rated).map(|(doc, rated)| rate(doc, rated)).collect())
    }
}

impl Example {
    fn judge(&self, dialogue: &Dialogue, l: LogLik) -> Verdict {
        let mut v = Verdict { score: l.log_prob2 / l.log_prob, ..Verdict::keep() };
        if v.score < self.low {
            v = Verdict { score: v.score, ..Verdict::drop("incoherent") };
        } else {
            let edits = self.edits(dialogue);
            if !edits.is_empty() {
                v = Verdict { score: v.score, ..Verdict::edit(edits) };
            }
        }
        v.detail = format!("{} tokens", l.tokens);
        v
    }

    fn edits(&self, dialogue: &Dialogue) -> Vec<Edit> {
        let cut = |(turn, t): (usize, &Turn)| {
            let rest = t.text.strip_prefix(self.greeting.as_str()).filter(|_| t.role == Role::Assistant)?;
            Some(Edit::Replace { turn, text: rest.to_string() })
        };
        dialogue.turns.iter().enumerate().filter_map(cut).collect()
    }
}

/// Asks for the last turn with and without what came before it. There is nothing to ask of a short dialogue.
fn request<'a>(dialogue: &Dialogue<'a>) -> Option<LogLikRequest<'a>> {
    let (last, context) = dialogue.turns.split_last().filter(|(_, context)| !context.is_empty())?;
    Some(LogLikRequest { context, context2: Some(&context[context.len() - 1..]), continuation: last.text })
}

impl Filter for Example {
    fn filter(&mut self, dialogues: &[Dialogue]) -> Result<Vec<Verdict>> {
        let requests: Vec<_> = dialogues.iter().filter_map(request).collect();
        let mut likelihoods = self.lm.loglik(&requests)?.into_iter();
        let verdict = |d: &Dialogue| match request(d).and_then(|_| likelihoods.next()) {
            Some(l) => self.judge(d, l),
            None => Verdict::drop("short"),
        };
        let verdicts = dialogues.iter().map(verdict).collect();
        log(Level::Info, &format!("{} of {} dialogues compared", requests.len(), dialogues.len()));
        Ok(verdicts)
    }
}

/// Prefers the reference and what lies near it.
impl Reward for Example {
    fn reward(&mut self, samples: &[Sample]) -> Result<Vec<Judgement>> {
        let texts: Vec<_> = samples.iter().flat_map(|s| [s.response, s.reference]).collect();
        let vectors = self.lm.embed(&texts)?;
        let judge = |(s, v): (&Sample, &[Vec<f64>])| {
            let mut near = 0.0;
            for (a, b) in v[0].iter().zip(&v[1]) {
                near += a * b;
            }
            let exact = if s.response == s.reference { 1.0 } else { 0.0 };
            Judgement::new(exact + near).part("exact", exact).part("runes", near)
        };
        Ok(samples.iter().zip(vectors.chunks_exact(2)).map(judge).collect())
    }
}

carebot::plugin!(Example: Scorer, Filter, Reward);
