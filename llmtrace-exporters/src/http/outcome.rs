//! What an answer means for the spans that were sent.

use std::time::Duration;

use super::client::Reply;
use super::endpoint::Endpoint;
use super::retry::is_retryable;
use super::service::Accepted;
use super::settings::Settings;

/// What became of the spans of one request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server took them, except for `rejected`.
    Taken { rejected: u64, message: Option<String> },
    /// They may be taken later, and not before `after`.
    Later { why: String, after: Option<Duration> },
    /// There are too many of them in one request.
    TooLarge { why: String },
    /// They will never be taken.
    Refused { why: String },
    /// The shutdown left no time.
    CutShort,
}

/// Longest part of an answer that is told, in characters.
const MAX_CHARS: usize = 200;

impl Outcome {
    /// What `reply` of `endpoint` means; `read` reads the body of a success.
    pub(super) fn of(
        reply: Reply,
        endpoint: &Endpoint,
        settings: &Settings,
        read: impl FnOnce(&[u8]) -> Accepted,
    ) -> Self {
        match reply {
            Reply::CutShort => Self::CutShort,
            Reply::Silence(why) => {
                Self::Later { why: format!("no answer from {endpoint}: {why}"), after: None }
            }
            Reply::Answer { status: 200..=299, body, .. } => {
                let accepted = read(&body);
                let message = accepted.message.map(|message| settings.without_secrets(&message));
                Self::Taken { rejected: accepted.rejected, message }
            }
            Reply::Answer { status, retry_after, body } => {
                let why = said(status, &body, endpoint, settings);
                match status {
                    413 => Self::TooLarge { why },
                    status if is_retryable(status) => Self::Later { why, after: retry_after },
                    _ => Self::Refused { why },
                }
            }
        }
    }
}

/// The status and the beginning of the answer, where that is text.
fn said(status: u16, body: &[u8], endpoint: &Endpoint, settings: &Settings) -> String {
    let phrase = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let text = str::from_utf8(body).map(|text| settings.without_secrets(text)).unwrap_or_default();
    let is_text = !text.trim().is_empty() && text.chars().all(|c| !c.is_control() || c.is_whitespace());
    let text: String =
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_CHARS).collect();
    let text = if is_text { format!(": {text}") } else { String::new() };
    let phrase = phrase.map(|phrase| format!(" {phrase}")).unwrap_or_default();
    format!("{endpoint} answered {status}{phrase}{text}")
}
