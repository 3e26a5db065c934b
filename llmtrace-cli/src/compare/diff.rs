//! How what was said differs.

use serde::Serialize;

/// How the messages of two spans differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct MessageDiff {
    /// Messages that went in, those that answer each other in one entry.
    pub(crate) input: Vec<MessageChange>,
    /// Messages that came out.
    pub(crate) output: Vec<MessageChange>,
    /// Messages beyond the bound, which are left out.
    pub(crate) left_out: u64,
}

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct MessageChange {
    /// `system`, `user`, `assistant`, `tool`, or another word.
    pub(crate) role: String,
    pub(crate) change: Change,
    /// Its text; of a message that is the same on both sides, nothing but its start.
    pub(crate) pieces: Vec<Piece>,
    /// Bytes of text that were not looked at, as there were too many.
    pub(crate) cut_bytes: u64,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    /// On both sides the same.
    Same,
    /// Only on the first side.
    Removed,
    /// Only on the second side.
    Added,
    /// On both sides, in other words.
    Changed,
}

/// A part of a text: on both sides, or on one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Piece {
    /// [`Change::Same`], [`Change::Removed`] or [`Change::Added`].
    pub(crate) change: Change,
    pub(crate) text: String,
}
