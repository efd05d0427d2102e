//! my-scorer rates documents by their letters and their length.

use carebot::{Document, Env, Plugin, Rating, Result, Scorer};

struct MyScorer;

impl Plugin for MyScorer {
    fn open(_: &Env) -> Result<Self> {
        Ok(MyScorer)
    }
}

impl Scorer for MyScorer {
    fn score(&mut self, docs: &[Document]) -> Result<Vec<Rating>> {
        Ok(docs.iter().map(|doc| rate(doc.text)).collect())
    }
}

fn rate(text: &str) -> Rating {
    if text.is_empty() {
        return Rating::abstain("no text");
    }
    let letters = text.chars().filter(|c| c.is_ascii_alphabetic() || !c.is_ascii()).count() as f64;
    let length = text.chars().count() as f64;
    Rating::new().score("letters", letters / length).score("length", length)
}

carebot::plugin!(MyScorer: Scorer);
