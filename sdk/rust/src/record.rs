/// Who speaks. `Raw` marks text that a chat template must not wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Raw,
    System,
    User,
    Assistant,
    Tool,
}

impl Role {
    /// The role of a number of the wire.
    pub(crate) fn of(number: u8) -> Option<Role> {
        [Role::Raw, Role::System, Role::User, Role::Assistant, Role::Tool].get(number as usize).copied()
    }
}

/// One utterance of a dialogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn<'a> {
    pub role: Role,
    pub text: &'a str,
}

/// One text of a corpus. `language` is a BCP 47 tag or empty; `meta` is a JSON object or empty. Columns that the
/// manifest does not ask for are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Document<'a> {
    pub id: &'a str,
    pub text: &'a str,
    pub language: &'a str,
    pub source: &'a str,
    pub meta: &'a str,
}

/// A conversation in the order it was held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialogue<'a> {
    pub id: &'a str,
    pub turns: &'a [Turn<'a>],
    pub language: &'a str,
    pub source: &'a str,
}

/// One answer to be judged. `history` ends with the turn that the response answers; `reference` is the known right
/// answer, or empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample<'a> {
    pub id: &'a str,
    pub history: &'a [Turn<'a>],
    pub response: &'a str,
    pub reference: &'a str,
}
