//! How long the prompts of a session's traces were.

use std::collections::HashMap;

use super::baseline::Seen;
use super::summary::SpanSummary;

/// The first call of each trace of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions(HashMap<Box<str>, Vec<Turn>>);

/// The first call of a trace.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(super) seen: Seen,
    pub(super) input_tokens: u64,
    pub(super) model: Option<Box<str>>,
    pub(super) name: Box<str>,
    pub(super) service: Option<Box<str>>,
}

/// Sessions that are told apart; further ones are not judged.
const MAX_SESSIONS: usize = 10_000;

/// Turns that are kept of a session; with more, every other one is forgotten.
const MAX_TURNS: usize = 64;

impl Sessions {
    /// Learns the calls of one trace.
    pub(super) fn learn<'a>(&mut self, calls: impl Iterator<Item = &'a SpanSummary>) {
        let with_input = calls.filter_map(|span| {
            Some((span, span.session.as_ref()?, super::summary::Metric::InputTokens.of(&span.figures)?))
        });
        let first = with_input.min_by_key(|(span, ..)| (span.start, span.span_id()));
        let Some((span, session, input_tokens)) = first else { return };
        let turn = Turn {
            seen: Seen { time: span.start, trace_id: span.trace_id, span_id: span.span_id() },
            input_tokens,
            model: span.key.model.clone(),
            name: span.key.name.clone(),
            service: span.service.clone(),
        };
        self.add(session, [turn]);
    }

    /// The sessions in order, each with its turns in order of time.
    pub(super) fn all(&self) -> Vec<(&str, Vec<&Turn>)> {
        let mut all: Vec<_> = self
            .0
            .iter()
            .map(|(session, turns)| {
                let mut turns: Vec<_> = turns.iter().collect();
                turns.sort_unstable_by_key(|turn| turn.seen);
                (&**session, turns)
            })
            .collect();
        all.sort_unstable_by_key(|(session, _)| *session);
        all
    }

    fn add(&mut self, session: &str, turns: impl IntoIterator<Item = Turn>) {
        if self.0.len() >= MAX_SESSIONS && !self.0.contains_key(session) {
            return;
        }
        let known = self.0.entry(session.into()).or_default();
        known.extend(turns);
        while known.len() > MAX_TURNS {
            known.sort_unstable_by_key(|turn| turn.seen);
            let mut is_kept = false;
            known.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
        }
    }
}
