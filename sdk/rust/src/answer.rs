/// What an answer is worth. An abstention or a fault is never a score; the detail says why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Ok,
    Abstain,
    Fault,
}

/// Answers one document: values by the names that the manifest declares. They travel as `f32`; a score that is left
/// out is absent, one that the manifest does not declare fails the batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rating {
    pub status: Status,
    pub scores: Vec<(&'static str, f64)>,
    pub detail: String,
}

impl Rating {
    /// A rating without scores.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rating with one score more.
    pub fn score(mut self, name: &'static str, value: f64) -> Self {
        self.scores.push((name, value));
        self
    }

    /// The plugin does not judge this document.
    pub fn abstain(why: impl Into<String>) -> Self {
        Self { status: Status::Abstain, detail: why.into(), ..Self::default() }
    }

    /// The plugin failed on this document.
    pub fn fault(why: impl Into<String>) -> Self {
        Self { status: Status::Fault, detail: why.into(), ..Self::default() }
    }
}

/// What a filter wants done with a dialogue. `Later` postpones the verdict to
/// [`Flusher::flush`](crate::Flusher::flush).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    #[default]
    Keep,
    Drop,
    Edit,
    Later,
}

/// A change to one turn, counted from 0 in the dialogue as it stands after the edits before this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Replace {
        turn: usize,
        text: String,
    },
    Delete {
        turn: usize,
    },
    /// Puts a user or assistant turn, whichever keeps the alternation, before the turn.
    Insert {
        turn: usize,
        text: String,
    },
}

impl Edit {
    /// Turn, number on the wire, text.
    pub(crate) fn parts(&self) -> (usize, u8, &str) {
        match self {
            Edit::Replace { turn, text } => (*turn, 0, text),
            Edit::Delete { turn } => (*turn, 1, ""),
            Edit::Insert { turn, text } => (*turn, 2, text),
        }
    }
}

/// Answers one dialogue. The score travels as `f32`; reasons are names of the manifest; edits are carried out in
/// their order when the action is [`Action::Edit`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    pub status: Status,
    pub action: Action,
    pub score: f64,
    pub reasons: Vec<&'static str>,
    pub detail: String,
    pub edits: Vec<Edit>,
}

impl Verdict {
    /// The dialogue stays as it is.
    pub fn keep() -> Self {
        Self::default()
    }

    /// The dialogue goes, for a reason.
    pub fn drop(reason: &'static str) -> Self {
        Self { action: Action::Drop, reasons: vec![reason], ..Self::default() }
    }

    /// The dialogue stays with changes.
    pub fn edit(edits: Vec<Edit>) -> Self {
        Self { action: Action::Edit, edits, ..Self::default() }
    }

    /// The verdict is given at the end of the data.
    pub fn later() -> Self {
        Self { action: Action::Later, ..Self::default() }
    }

    /// The plugin does not judge this dialogue.
    pub fn abstain(why: impl Into<String>) -> Self {
        Self { status: Status::Abstain, detail: why.into(), ..Self::default() }
    }

    /// The plugin failed on this dialogue.
    pub fn fault(why: impl Into<String>) -> Self {
        Self { status: Status::Fault, detail: why.into(), ..Self::default() }
    }
}

/// Answers one sample. The reward and its parts, by the names that the manifest declares, travel as `f32`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    pub status: Status,
    pub reward: f64,
    pub parts: Vec<(&'static str, f64)>,
    pub detail: String,
}

impl Judgement {
    /// A reward without parts.
    pub fn new(reward: f64) -> Self {
        Self { reward, ..Self::default() }
    }

    /// The judgement with one part more.
    pub fn part(mut self, name: &'static str, value: f64) -> Self {
        self.parts.push((name, value));
        self
    }

    /// The plugin does not judge this sample.
    pub fn abstain(why: impl Into<String>) -> Self {
        Self { status: Status::Abstain, detail: why.into(), ..Self::default() }
    }

    /// The plugin failed on this sample.
    pub fn fault(why: impl Into<String>) -> Self {
        Self { status: Status::Fault, detail: why.into(), ..Self::default() }
    }
}
