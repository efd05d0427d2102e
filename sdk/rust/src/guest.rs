use crate::codec::{self, Tables};
use crate::frame::{column, Frame, Kind, Writer};
use crate::{
    Dialogue, Document, Env, Filter, Flusher, Judgement, Plugin, Rating, Result, Reward, Sample, Scorer, Verdict,
};

/// What a plugin can do. The methods that add to it have the names of the traits, so that [`plugin!`](crate::plugin)
/// can be told the traits.
#[allow(clippy::type_complexity)]
pub struct Methods<P> {
    score: Option<fn(&mut P, &[Document]) -> Result<Vec<Rating>>>,
    filter: Option<fn(&mut P, &[Dialogue]) -> Result<Vec<Verdict>>>,
    flush: Option<fn(&mut P) -> Result<Vec<Verdict>>>,
    reward: Option<fn(&mut P, &[Sample]) -> Result<Vec<Judgement>>>,
}

#[allow(non_snake_case)]
impl<P: Plugin> Methods<P> {
    pub fn none() -> Self {
        Methods { score: None, filter: None, flush: None, reward: None }
    }

    pub fn Scorer(self) -> Self
    where
        P: Scorer,
    {
        Methods { score: Some(P::score), ..self }
    }

    pub fn Filter(self) -> Self
    where
        P: Filter,
    {
        Methods { filter: Some(P::filter), ..self }
    }

    pub fn Flusher(self) -> Self
    where
        P: Flusher,
    {
        Methods { flush: Some(P::flush), ..self.Filter() }
    }

    pub fn Reward(self) -> Self
    where
        P: Reward,
    {
        Methods { reward: Some(P::reward), ..self }
    }
}

/// An instance of a plugin, spoken to in frames.
pub(crate) struct Guest<P> {
    plugin: P,
    methods: Methods<P>,
    tables: Tables,
    out: Writer,
}

impl<P: Plugin> Guest<P> {
    pub fn open(manifest: &str, methods: Methods<P>, frame: &[u8]) -> Result<Guest<P>> {
        let env = Env::read(&Frame::parse(frame)?)?;
        Ok(Guest { plugin: P::open(&env)?, methods, tables: Tables::of(manifest)?, out: Writer::default() })
    }

    /// Answers a request. The answer is valid until the next call.
    pub fn run(&mut self, kind: i32, frame: &[u8]) -> Result<&[u8]> {
        let f = Frame::parse(frame)?;
        match Kind(kind as u16) {
            Kind::DOCUMENTS => self.score(&f),
            Kind::DIALOGUES => self.filter(&f),
            Kind::SAMPLES => self.reward(&f),
            _ => Err(format!("unknown kind of request {:#x}", kind).into()),
        }
    }

    fn score(&mut self, f: &Frame) -> Result<&[u8]> {
        let score = self.methods.score.ok_or("the plugin is no scorer")?;
        let ratings = complete(f, score(&mut self.plugin, &codec::documents(f))?)?;
        codec::ratings(&mut self.out, &self.tables, f.batch, &ratings)
    }

    fn filter(&mut self, f: &Frame) -> Result<&[u8]> {
        let filter = self.methods.filter.ok_or("the plugin is no filter")?;
        let turns = codec::turns(f, column::TURNS, column::TURN_ROLE)?;
        let verdicts = complete(f, filter(&mut self.plugin, &codec::dialogues(f, &turns))?)?;
        codec::verdicts(&mut self.out, &self.tables, f.batch, &verdicts)
    }

    fn reward(&mut self, f: &Frame) -> Result<&[u8]> {
        let reward = self.methods.reward.ok_or("the plugin is no reward")?;
        let history = codec::turns(f, column::HISTORY, column::HISTORY_ROLE)?;
        let judgements = complete(f, reward(&mut self.plugin, &codec::samples(f, &history))?)?;
        codec::judgements(&mut self.out, &self.tables, f.batch, &judgements)
    }

    /// Answers what was postponed: nothing when the plugin postpones nothing.
    pub fn flush(&mut self, kind: i32) -> Result<&[u8]> {
        if Kind(kind as u16) != Kind::DIALOGUES {
            return Err(format!("requests of kind {:#x} have nothing to flush", kind).into());
        }
        let verdicts = match self.methods.flush {
            Some(flush) => flush(&mut self.plugin)?,
            None => Vec::new(),
        };
        codec::verdicts(&mut self.out, &self.tables, 0, &verdicts)
    }
}

/// The answers, when there is one for each record.
fn complete<A>(f: &Frame, answers: Vec<A>) -> Result<Vec<A>> {
    if answers.len() != f.rows {
        return Err(format!("{} answers to {} records", answers.len(), f.rows).into());
    }
    Ok(answers)
}
