//! Plugins for [CareBot](https://github.com/carebot-llm/carebot) in Rust.
//!
//! A plugin rates documents ([`Scorer`]), filters dialogues ([`Filter`], [`Flusher`]) or judges answers ([`Reward`]).
//! It is a WebAssembly module that the host asks in batches of plain structs:
//!
//! ```
//! use carebot::{Document, Env, Plugin, Rating, Result, Scorer};
//!
//! struct Length;
//!
//! impl Plugin for Length {
//!     fn open(_: &Env) -> Result<Self> {
//!         Ok(Length)
//!     }
//! }
//!
//! impl Scorer for Length {
//!     fn score(&mut self, docs: &[Document]) -> Result<Vec<Rating>> {
//!         Ok(docs.iter().map(|d| Rating::new().score("length", d.text.len() as f64)).collect())
//!     }
//! }
//! ```
//!
//! and at the end `carebot::plugin!(Length: Scorer);`, which makes the module's exports. What the plugin says of
//! itself is `manifest.json` beside its `Cargo.toml`.
//!
//! An error fails the whole batch, which the host then splits to find the record; so does a panic, which costs the
//! instance besides. A record that cannot be judged is answered with [`Rating::abstain`] or its like.

mod answer;
mod codec;
mod env;
mod export;
mod frame;
#[cfg(test)]
mod golden;
mod guest;
mod host;
mod json;
mod model;
mod record;

pub use answer::{Action, Edit, Judgement, Rating, Status, Verdict};
pub use env::Env;
pub use host::{log, Level};
pub use json::Json;
pub use model::{LogLik, LogLikRequest, Model, ModelInfo};
pub use record::{Dialogue, Document, Role, Sample, Turn};

/// The version of the contract (dp1), the key `abi` of `manifest.json`.
pub const ABI: i32 = 1;

/// Any error; `?` and `.into()` make one of other errors and of texts.
pub type Error = Box<dyn std::error::Error>;

/// A result whose error fails a batch.
pub type Result<T> = std::result::Result<T, Error>;

/// What a plugin is made from. It is opened once for each instance; one instance is never asked by two threads at
/// once.
pub trait Plugin: Sized {
    /// Makes an instance, or says what is wrong with the configuration.
    fn open(env: &Env) -> Result<Self>;
}

/// Rates documents.
pub trait Scorer: Plugin {
    /// One rating for each document, in order.
    fn score(&mut self, docs: &[Document]) -> Result<Vec<Rating>>;
}

/// Judges dialogues.
pub trait Filter: Plugin {
    /// One verdict for each dialogue, in order.
    fn filter(&mut self, dialogues: &[Dialogue]) -> Result<Vec<Verdict>>;
}

/// A filter that has answered [`Verdict::later`]. Its manifest says purity `stateful`; it runs as one instance, in
/// the order of the data.
pub trait Flusher: Filter {
    /// The postponed verdicts, at the end of the data, in the order in which they were postponed.
    fn flush(&mut self) -> Result<Vec<Verdict>>;
}

/// Judges answers.
pub trait Reward: Plugin {
    /// One judgement for each sample, in order.
    fn reward(&mut self, samples: &[Sample]) -> Result<Vec<Judgement>>;
}

/// What [`plugin!`] needs; no part of the interface.
#[doc(hidden)]
pub mod private {
    pub use crate::export::Module;
    pub use crate::guest::Methods;
}
