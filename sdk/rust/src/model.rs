use crate::codec::{put_turn_children, put_turns};
use crate::frame::{column, Frame, Kind, Type, Writer};
use crate::host;
use crate::{Result, Turn};

/// One of the host's models. Requests are answered in order, one answer for each. Ask for a whole batch at once: the
/// host joins the requests of all instances. Turns are rendered by the model's chat template, those of
/// [`Role::Raw`](crate::Role::Raw) are taken as they are.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) place: i32,
    pub info: ModelInfo,
}

/// Describes a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelInfo {
    pub name: String,
    /// The longest input.
    pub max_tokens: usize,
    /// Width of the answers of [`Model::score`], 0 when the model has no head.
    pub outputs: usize,
    /// Width of the answers of [`Model::embed`].
    pub hidden: usize,
}

/// Asks for the likelihood of the continuation after the context and, when there is one, after the second context.
/// Contexts that are too long lose their oldest tokens; the continuation is cut at its end, equally under both
/// contexts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogLikRequest<'a> {
    pub context: &'a [Turn<'a>],
    pub context2: Option<&'a [Turn<'a>]>,
    pub continuation: &'a str,
}

/// Sums of log-probabilities over the same tokens under both contexts (`log_prob2` is 0 without a second).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogLik {
    pub log_prob: f64,
    pub log_prob2: f64,
    pub tokens: usize,
}

impl Model {
    /// The log-probabilities (natural logarithm) of continuations.
    pub fn loglik(&self, requests: &[LogLikRequest]) -> Result<Vec<LogLik>> {
        let size = |r: &LogLikRequest| bytes(r.context) + bytes(r.context2.unwrap_or(&[])) + r.continuation.len();
        self.in_parts(Kind::LOGLIK, requests, 20, size, put_loglik, logliks)
    }

    /// The raw outputs of the classification, regression or reward head for each text.
    pub fn score(&self, texts: &[&[Turn]]) -> Result<Vec<Vec<f64>>> {
        let read = |f: &Frame| vectors(f);
        self.in_parts(Kind::TEXTS, texts, 8 * self.info.outputs, |turns| bytes(turns), put_texts, read)
    }

    /// One vector for each text.
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f64>>> {
        let read = |f: &Frame| vectors(f);
        self.in_parts(Kind::EMBED, texts, 8 * self.info.hidden, |text| text.len(), put_embed, read)
    }

    /// Asks in parts that fit a frame; answers do not depend on how. `size` is about what a request takes, `width`
    /// what an answer takes at most.
    fn in_parts<Q, A>(
        &self,
        kind: Kind,
        requests: &[Q],
        width: usize,
        size: impl Fn(&Q) -> usize,
        write: impl for<'w> Fn(&'w mut Writer, &[Q]) -> Result<&'w [u8]>,
        read: impl Fn(&Frame) -> Result<Vec<A>>,
    ) -> Result<Vec<A>> {
        let (mut answers, mut rest) = (Vec::with_capacity(requests.len()), requests);
        let (mut writer, mut out) = (Writer::default(), Vec::new());
        while !rest.is_empty() {
            let n = part(rest, |q| size(q) + width);
            out.resize(ANSWER_BASE + n * (width + 4), 0);
            let length = host::ask(kind, self.place, write(&mut writer, &rest[..n])?, &mut out);
            answers.extend(answer(kind, n, length, &out, &read)?);
            rest = &rest[n..];
        }
        Ok(answers)
    }
}

/// Bounds of one request.
const PART_ROWS: usize = 4096;
const PART_BYTES: usize = 4 << 20;

/// What an answer has besides its rows at most, a failure included.
const ANSWER_BASE: usize = 4096;

/// How many of the requests go into one frame.
fn part<Q>(requests: &[Q], size: impl Fn(&Q) -> usize) -> usize {
    let (mut n, mut bytes) = (0, 0);
    while n < requests.len() && n < PART_ROWS && bytes <= PART_BYTES {
        bytes += size(&requests[n]);
        n += 1;
    }
    n
}

fn bytes(turns: &[Turn]) -> usize {
    turns.iter().map(|t| t.text.len() + 5).sum()
}

/// Reads what the host has answered to n requests.
fn answer<A>(
    kind: Kind,
    n: usize,
    length: i32,
    out: &[u8],
    read: impl Fn(&Frame) -> Result<Vec<A>>,
) -> Result<Vec<A>> {
    let data = match usize::try_from(length).ok().and_then(|length| out.get(..length)) {
        Some(data) => data,
        None => return Err(format!("the host answers {} to a model request", length).into()),
    };
    let frame = Frame::parse(data)?;
    if frame.kind == Kind::FAILURE {
        let why = frame.texts(column::DETAIL, frame.rows).next();
        return Err(why.unwrap_or("the host gives no reason").into());
    }
    if frame.kind != kind.answer() || frame.rows != n {
        return Err(format!("{} answers of the model to {} requests", frame.rows, n).into());
    }
    read(&frame)
}

pub(crate) fn put_loglik<'w>(w: &'w mut Writer, requests: &[LogLikRequest]) -> Result<&'w [u8]> {
    let first: Vec<_> = requests.iter().map(|r| r.context).collect();
    let second: Vec<_> = requests.iter().map(|r| r.context2.unwrap_or(&[])).collect();
    w.begin(Kind::LOGLIK, requests.len(), 7, 0);
    put_turns(w, column::CONTEXT, column::CONTEXT_ROLE, &first);
    w.lists(column::CONTEXT2, second.iter().map(|turns| turns.len()));
    w.valid(requests.iter().map(|r| r.context2.is_some()));
    put_turn_children(w, column::CONTEXT2_ROLE, &second);
    w.texts(column::CONTINUATION, requests.iter().map(|r| r.continuation));
    w.finish()
}

pub(crate) fn logliks(f: &Frame) -> Result<Vec<LogLik>> {
    let first = f.need(column::LOG_PROB, Type::F64, f.rows)?;
    let second = f.need(column::LOG_PROB2, Type::F64, f.rows)?;
    let tokens = f.need(column::TOKENS, Type::U32, f.rows)?;
    let row = |i| LogLik {
        log_prob: f64::from_le_bytes(first.value(i)),
        log_prob2: f64::from_le_bytes(second.value(i)),
        tokens: u32::from_le_bytes(tokens.value(i)) as usize,
    };
    Ok((0..f.rows).map(row).collect())
}

pub(crate) fn put_texts<'w>(w: &'w mut Writer, texts: &[&[Turn]]) -> Result<&'w [u8]> {
    w.begin(Kind::TEXTS, texts.len(), 3, 0);
    put_turns(w, column::TURNS, column::TURN_ROLE, texts);
    w.finish()
}

pub(crate) fn put_embed<'w>(w: &'w mut Writer, texts: &[&str]) -> Result<&'w [u8]> {
    w.begin(Kind::EMBED, texts.len(), 1, 0);
    w.texts(column::TEXT, texts.iter().copied());
    w.finish()
}

pub(crate) fn vectors(f: &Frame) -> Result<Vec<Vec<f64>>> {
    let lists = f.need(column::VECTOR, Type::List, f.rows)?;
    let values = f.need(column::VALUE, Type::F64, lists.children)?;
    let vector = |i| (lists.offset(i)..lists.offset(i + 1)).map(|k| f64::from_le_bytes(values.value(k))).collect();
    Ok((0..f.rows).map(vector).collect())
}
