//! Records and answers in frames.

use crate::frame::{column, Frame, Kind, Type, Writer};
use crate::{Dialogue, Document, Json, Judgement, Rating, Result, Role, Sample, Turn, Verdict};

/// The names that the manifest declares, which travel as their places.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub scores: Vec<String>,
    pub reasons: Vec<String>,
}

impl Tables {
    /// Takes the names from a manifest.
    pub fn of(manifest: &str) -> Result<Tables> {
        let manifest = Json::parse(manifest)?;
        let mut tables = Tables::default();
        for score in manifest.array("scores").unwrap_or(&[]) {
            tables.scores.push(score.text("name")?.to_string());
        }
        for reason in manifest.array("reasons").unwrap_or(&[]) {
            match reason {
                Json::Text(name) => tables.reasons.push(name.clone()),
                _ => return Err("reasons of the manifest: not a string".into()),
            }
        }
        Ok(tables)
    }
}

/// The place of a name.
fn place(what: &str, names: &[String], name: &str) -> Result<usize> {
    let place = names.iter().position(|n| n == name);
    place.ok_or_else(|| format!("{} \"{}\" is not declared in the manifest", what, name).into())
}

/// Lists of turns in one.
pub(crate) struct Turns<'a> {
    flat: Vec<Turn<'a>>,
    from: Vec<usize>,
}

impl<'a> Turns<'a> {
    pub fn list(&self, i: usize) -> &[Turn<'a>] {
        &self.flat[self.from[i]..self.from[i + 1]]
    }
}

/// Reads lists of turns; empty ones when the column is absent. The column of texts follows that of roles.
pub(crate) fn turns<'a>(f: &Frame<'a>, list: u16, role: u16) -> Result<Turns<'a>> {
    let lists = match f.find(list, Type::List, f.rows) {
        Some(lists) => lists,
        None => return Ok(Turns { flat: Vec::new(), from: vec![0; f.rows + 1] }),
    };
    let roles = f.need(role, Type::U8, lists.children)?;
    let mut flat = Vec::with_capacity(lists.children);
    for (&number, text) in roles.data.iter().zip(f.texts(role + 1, lists.children)) {
        let role = Role::of(number).ok_or_else(|| format!("unknown role {}", number))?;
        flat.push(Turn { role, text });
    }
    Ok(Turns { flat, from: (0..=f.rows).map(|i| lists.offset(i)).collect() })
}

pub(crate) fn documents<'a>(f: &Frame<'a>) -> Vec<Document<'a>> {
    let (mut language, mut source) = (f.texts(column::LANGUAGE, f.rows), f.texts(column::SOURCE, f.rows));
    let (mut text, mut meta) = (f.texts(column::TEXT, f.rows), f.texts(column::META, f.rows));
    let mut next = |id| {
        Some(Document {
            id,
            text: text.next()?,
            language: language.next()?,
            source: source.next()?,
            meta: meta.next()?,
        })
    };
    f.texts(column::ID, f.rows).filter_map(&mut next).collect()
}

pub(crate) fn dialogues<'t>(f: &Frame<'t>, turns: &'t Turns<'t>) -> Vec<Dialogue<'t>> {
    let columns =
        f.texts(column::ID, f.rows).zip(f.texts(column::LANGUAGE, f.rows)).zip(f.texts(column::SOURCE, f.rows));
    let dialogue = |(i, ((id, language), source))| Dialogue { id, turns: turns.list(i), language, source };
    columns.enumerate().map(dialogue).collect()
}

pub(crate) fn samples<'t>(f: &Frame<'t>, history: &'t Turns<'t>) -> Vec<Sample<'t>> {
    let (response, reference) = (f.texts(column::RESPONSE, f.rows), f.texts(column::REFERENCE, f.rows));
    let columns = f.texts(column::ID, f.rows).zip(response).zip(reference);
    let sample = |(i, ((id, response), reference))| Sample { id, history: history.list(i), response, reference };
    columns.enumerate().map(sample).collect()
}

fn f32_bytes(v: f64) -> [u8; 4] {
    (v as f32).to_le_bytes()
}

/// Adds one column for each declared score. Row i has the values of `at(i)`; what they lack is marked as absent.
fn put_scores<'s>(
    w: &mut Writer,
    t: &Tables,
    rows: impl ExactSizeIterator<Item = &'s [(&'static str, f64)]>,
) -> Result<()> {
    let (n, count) = (rows.len(), t.scores.len());
    let mut values: Vec<Option<f64>> = vec![None; n * count];
    for (i, row) in rows.enumerate() {
        for &(name, value) in row {
            values[i * count + place("score", &t.scores, name)?] = Some(value);
        }
    }
    for k in 0..count {
        let column = || (0..n).map(|i| values[i * count + k]);
        w.fixed(column::SCORES + k as u16, Type::F32, column().map(|v| f32_bytes(v.unwrap_or(0.0))));
        if column().any(|v| v.is_none()) {
            w.valid(column().map(|v| v.is_some()));
        }
    }
    Ok(())
}

pub(crate) fn ratings<'w>(w: &'w mut Writer, t: &Tables, batch: u64, all: &[Rating]) -> Result<&'w [u8]> {
    w.begin(Kind::DOCUMENTS.answer(), all.len(), 2 + t.scores.len(), batch);
    w.fixed(column::STATUS, Type::U8, all.iter().map(|r| [r.status as u8]));
    w.texts(column::DETAIL, all.iter().map(|r| r.detail.as_str()));
    put_scores(w, t, all.iter().map(|r| r.scores.as_slice()))?;
    w.finish()
}

pub(crate) fn judgements<'w>(w: &'w mut Writer, t: &Tables, batch: u64, all: &[Judgement]) -> Result<&'w [u8]> {
    w.begin(Kind::SAMPLES.answer(), all.len(), 3 + t.scores.len(), batch);
    w.fixed(column::STATUS, Type::U8, all.iter().map(|j| [j.status as u8]));
    w.texts(column::DETAIL, all.iter().map(|j| j.detail.as_str()));
    w.fixed(column::REWARD, Type::F32, all.iter().map(|j| f32_bytes(j.reward)));
    put_scores(w, t, all.iter().map(|j| j.parts.as_slice()))?;
    w.finish()
}

pub(crate) fn verdicts<'w>(w: &'w mut Writer, t: &Tables, batch: u64, all: &[Verdict]) -> Result<&'w [u8]> {
    let mut reasons = Vec::new();
    for name in all.iter().flat_map(|v| &v.reasons) {
        reasons.push(place("reason", &t.reasons, name)? as u16);
    }
    w.begin(Kind::DIALOGUES.answer(), all.len(), 10, batch);
    w.fixed(column::STATUS, Type::U8, all.iter().map(|v| [v.status as u8]));
    w.texts(column::DETAIL, all.iter().map(|v| v.detail.as_str()));
    w.fixed(column::ACTION, Type::U8, all.iter().map(|v| [v.action as u8]));
    w.fixed(column::SCORE, Type::F32, all.iter().map(|v| f32_bytes(v.score)));
    w.lists(column::REASONS, all.iter().map(|v| v.reasons.len()));
    w.fixed(column::REASON, Type::U16, reasons.iter().map(|r| r.to_le_bytes()));
    put_edits(w, all);
    w.finish()
}

fn put_edits(w: &mut Writer, all: &[Verdict]) {
    let mut edits = Vec::new();
    for (row, v) in all.iter().enumerate() {
        edits.extend(v.edits.iter().map(|e| (row, e.parts())));
    }
    w.fixed(column::EDIT_ROW, Type::U32, edits.iter().map(|&(row, _)| (row as u32).to_le_bytes()));
    w.fixed(column::EDIT_TURN, Type::U32, edits.iter().map(|&(_, (turn, _, _))| (turn as u32).to_le_bytes()));
    w.fixed(column::EDIT_OP, Type::U8, edits.iter().map(|&(_, (_, op, _))| [op]));
    w.texts(column::EDIT_TEXT, edits.iter().map(|&(_, (_, _, text))| text));
}

/// Adds lists of turns.
pub(crate) fn put_turns(w: &mut Writer, list: u16, role: u16, lists: &[&[Turn]]) {
    w.lists(list, lists.iter().map(|turns| turns.len()));
    put_turn_children(w, role, lists);
}

/// Adds the child columns of lists of turns.
pub(crate) fn put_turn_children(w: &mut Writer, role: u16, lists: &[&[Turn]]) {
    let flat = lists.concat();
    w.fixed(role, Type::U8, flat.iter().map(|t| [t.role as u8]));
    w.texts(role + 1, flat.iter().map(|t| t.text));
}
