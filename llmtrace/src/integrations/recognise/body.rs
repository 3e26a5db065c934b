//! What must be known of a request's body before it is sent.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Longest body that is looked into, in bytes. It is read once, without being kept.
const MAX_PEEK_BYTES: usize = 8 * 1024 * 1024;

/// What must be known of a request's body before it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::integrations) struct Peek<'a> {
    #[serde(borrow)]
    pub(in crate::integrations) model: Option<Cow<'a, str>>,
    stream: Option<bool>,
    stream_options: Present,
    data_sources: Present,
    messages: Present,
    input: Present,
    prompt: Present,
    query: Present,
    documents: Present,
    max_tokens: Present,
}

/// Whether a key is there, whatever stands under it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

impl<'a> Peek<'a> {
    /// Looks into a body; `None` if it is no JSON object, or longer than 8 MiB.
    pub(in crate::integrations) fn new(body: &'a [u8]) -> Option<Self> {
        let is_object = body.len() <= MAX_PEEK_BYTES && body.trim_ascii_start().starts_with(b"{");
        if is_object { serde_json::from_slice(body).ok() } else { None }
    }

    /// Whether it asks a model to do `operation`.
    pub(super) fn asks(&self, operation: &str) -> bool {
        let Self { messages, input, prompt, query, documents, .. } = *self;
        let asked = match operation {
            "rerank" => query.0 && documents.0,
            "embeddings" => input.0 || prompt.0,
            _ => messages.0 || input.0 || prompt.0,
        };
        self.model.is_some() && asked
    }

    /// Whether the answer is asked for as a stream.
    pub(in crate::integrations) fn is_stream(&self) -> bool {
        self.stream == Some(true)
    }

    /// Whether the answer is asked for as a stream, and nothing is said of its options. Azure's chats over one's
    /// own data refuse them.
    pub(in crate::integrations) fn may_ask_for_usage(&self) -> bool {
        self.is_stream() && !self.stream_options.0 && !self.data_sources.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_looked_into() {
        let check = |body: &str, operation: &str, asks: bool, may_ask_for_usage: bool| {
            let peek = Peek::new(body.as_bytes()).unwrap_or_default();
            assert_eq!((peek.asks(operation), peek.may_ask_for_usage()), (asks, may_ask_for_usage), "{body}");
        };
        check(r#"{"model":"m","messages":[],"stream":true}"#, "chat", true, true);
        check(r#"{"model":"m","messages":[],"stream":true,"stream_options":null}"#, "chat", true, false);
        check(r#"{"model":"m","messages":[],"stream":true,"data_sources":[]}"#, "chat", true, false);
        check(r#"{"model":"m\u00e9","input":"x"}"#, "embeddings", true, false);
        check(r#"{"model":"m","messages":[]}"#, "embeddings", false, false);
        check(r#"{"model":"m","query":"q","documents":[]}"#, "rerank", true, false);
        check(r#"{"messages":[]}"#, "chat", false, false);
        check(r#"{"model":3,"messages":[]}"#, "chat", false, false);
        check("[]", "chat", false, false);
        check("--boundary", "chat", false, false);
        check("", "chat", false, false);
    }
}
