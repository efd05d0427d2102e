//! my-filter drops dialogues that end in nothing new and trims the turns of the others.

use carebot::{Dialogue, Edit, Env, Filter, Plugin, Result, Turn, Verdict};

struct MyFilter;

impl Plugin for MyFilter {
    fn open(_: &Env) -> Result<Self> {
        Ok(MyFilter)
    }
}

impl Filter for MyFilter {
    fn filter(&mut self, dialogues: &[Dialogue]) -> Result<Vec<Verdict>> {
        Ok(dialogues.iter().map(|d| judge(d.turns)).collect())
    }
}

fn judge(turns: &[Turn]) -> Verdict {
    let (last, before) = match turns.split_last() {
        Some((last, before)) if !trim(last.text).is_empty() => (last, before),
        _ => return Verdict::drop("empty"),
    };
    if before.iter().any(|t| t.role == last.role && trim(t.text) == trim(last.text)) {
        return Verdict::drop("repeated");
    }
    let edits: Vec<Edit> = turns.iter().enumerate().filter_map(trimmed).collect();
    if edits.is_empty() {
        return Verdict::keep();
    }
    Verdict::edit(edits)
}

fn trimmed((turn, t): (usize, &Turn)) -> Option<Edit> {
    let text = trim(t.text);
    (text != t.text).then(|| Edit::Replace { turn, text: text.to_string() })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'].as_slice())
}

carebot::plugin!(MyFilter: Filter);
