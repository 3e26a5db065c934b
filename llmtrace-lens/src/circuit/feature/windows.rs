//! A text file as the model reads it.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use super::passages::Passages;
use crate::circuit::error::CircuitError;
use crate::circuit::window::windows;
use crate::model::Model;

/// The passages of a text as runs of tokens, none longer than the model or the study allows.
#[derive(Debug)]
pub(super) struct Windows<'m> {
    model: &'m Model,
    special: BTreeSet<u32>,
    longest: usize,
    passages: Passages,
    queue: VecDeque<Window>,
    next: u64,
}

/// One run of tokens.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// From 0.
    pub(super) number: u64,
    /// The line that it is from.
    pub(super) line: u64,
    pub(super) tokens: Vec<u32>,
    /// At so many first positions nothing is a feature: at the special token that begins a text.
    pub(super) masked: usize,
}

impl<'m> Windows<'m> {
    pub(super) fn open(model: &'m Model, path: &Path, longest: usize) -> Result<Self, CircuitError> {
        Ok(Self {
            model,
            special: model.special_tokens(),
            longest: longest.min(model.config().context),
            passages: Passages::open(path)?,
            queue: VecDeque::new(),
            next: 0,
        })
    }

    /// The next window; none at the end. A passage that is longer goes on in another, which begins as the first does.
    pub(super) fn next(&mut self) -> Result<Option<Window>, CircuitError> {
        loop {
            if let Some(window) = self.queue.pop_front() {
                return Ok(Some(window));
            }
            let Some(passage) = self.passages.next()? else { return Ok(None) };
            let tokens = self.model.tokenize(&passage.text)?;
            let (masked, parts) = windows(&tokens, &self.special, self.longest);
            for tokens in parts {
                self.queue.push_back(Window { number: self.next, line: passage.line, tokens, masked });
                self.next += 1;
            }
        }
    }

    /// How many bytes are read, of how many.
    pub(super) fn progress(&self) -> [usize; 2] {
        [self.passages.done, self.passages.total].map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }
}
