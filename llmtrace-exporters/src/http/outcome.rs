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
                let why = format!("no answer from {endpoint}: {why}{}", remedy_of_silence(&why));
                Self::Later { why, after: None }
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
    format!("{endpoint} answered {status}{phrase}{text}{}", remedy(status))
}

/// What to look at first, for the answers that a wrong configuration gets.
fn remedy(status: u16) -> &'static str {
    match status {
        300..=399 => " (redirects are not followed: give the URL that it leads to)",
        401 | 403 => " (check the keys and the headers)",
        404 | 405 => " (check the URL: nothing there takes traces)",
        _ => "",
    }
}

/// What to look at first, where something answers that speaks otherwise. These words are those of `rustls` and `hyper`.
fn remedy_of_silence(why: &str) -> &'static str {
    if why.contains("InvalidContentType") {
        " (the server does not speak TLS there; is it http instead of https?)"
    } else if why.contains("invalid HTTP version parsed") {
        " (what answers there is not HTTP; is it a port for gRPC, or for https?)"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_a_wrong_configuration_says_what_to_look_at() {
        let endpoint = Endpoint::parse("http://localhost:6006/traces").unwrap();
        let settings = Settings::new(endpoint.clone());
        let check = |status: u16, expected: &str| {
            let reply = Reply::Answer { status, retry_after: None, body: b"no".to_vec() };
            let outcome = Outcome::of(reply, &endpoint, &settings, |_| Accepted::default());
            let why = format!("http://localhost:6006/traces answered {expected}");
            assert_eq!(outcome, Outcome::Refused { why });
        };
        check(307, "307 Temporary Redirect: no (redirects are not followed: give the URL that it leads to)");
        check(401, "401 Unauthorized: no (check the keys and the headers)");
        check(403, "403 Forbidden: no (check the keys and the headers)");
        check(404, "404 Not Found: no (check the URL: nothing there takes traces)");
        check(405, "405 Method Not Allowed: no (check the URL: nothing there takes traces)");
        check(400, "400 Bad Request: no");
    }
}
