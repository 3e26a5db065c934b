//! Requests that go ahead of the spans of a batch.

use std::collections::HashSet;

use llmtrace::SpanRecord;

use super::client::Message;
use super::exporter::{HttpExporter, Stop};
use super::outcome::Outcome;
use super::service::{Accepted, Companion, Service};

/// Which requests went ahead of spans that are still to be sent, so that a batch that is tried again goes on where it
/// stopped: a server that takes so many requests a minute would never be done with it otherwise.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    done: HashSet<[u8; 16]>,
    /// How many were refused for good.
    refused: u64,
    /// Why one of those for the next spans was refused.
    refusal: Option<String>,
}

/// Most requests that are remembered; beyond that they are sent again.
const MAX_REMEMBERED: usize = 65_536;

impl Ahead {
    /// The spans were sent.
    pub(super) fn forget(&mut self) {
        self.done.clear();
    }

    /// Why something that went ahead of spans was refused, which is worth telling only if the spans were taken.
    pub(super) fn take_refusal(&mut self) -> Option<String> {
        self.refusal.take()
    }

    /// How many were refused for good.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }
}

impl<S: Service> HttpExporter<S> {
    /// Sends what goes ahead of spans; says why it came to no end.
    pub(super) fn send_ahead(&mut self, spans: &[SpanRecord]) -> Option<Stop> {
        for Companion { id, endpoint, body } in self.service.companions(spans) {
            if self.ahead.done.contains(&id) {
                continue;
            }
            let outcome = match body {
                Ok(body) => {
                    let (content_type, signature) = ("application/json", Vec::new());
                    let message = Message { content_type, content_encoding: None, signature, body };
                    self.post(&endpoint, message, |_, _| Accepted::default())
                }
                Err(why) => Outcome::Refused { why },
            };
            match outcome {
                Outcome::Taken { .. } => {}
                Outcome::Refused { why } | Outcome::TooLarge { why } => {
                    self.ahead.refused += 1;
                    self.ahead.refusal = Some(why);
                }
                Outcome::Later { why, after } => return Some(Stop::Later { why, after }),
                Outcome::CutShort => return Some(Stop::CutShort),
            }
            if self.ahead.done.len() < MAX_REMEMBERED {
                self.ahead.done.insert(id);
            }
        }
        None
    }

    /// How many requests that went ahead of spans were refused for good.
    pub(crate) fn refused_companions(&self) -> u64 {
        self.ahead.refused()
    }
}
