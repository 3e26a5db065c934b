//! Requests that go ahead of the spans of a batch.

use std::collections::HashSet;

use llmtrace::{ExportError, SpanRecord};

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
}

/// Most requests that are remembered; beyond that they are sent again.
const MAX_REMEMBERED: usize = 65_536;

impl Ahead {
    /// The spans were sent.
    pub(super) fn forget(&mut self) {
        self.done.clear();
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
                    self.context.troubled(&ExportError::permanent(why), "it is left out; its span is sent");
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
