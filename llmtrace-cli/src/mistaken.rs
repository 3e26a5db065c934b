//! What a file is that was given to the wrong command.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::Path;

use llmtrace::provider::{read_request, read_response};
use serde_json::Value;

/// The longest file that is looked at, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// What the first JSON value of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Spans,
    Prices,
    Calls,
    Response,
    Stream,
    Request,
}

impl Held {
    /// What that is, and what it is for.
    pub(crate) fn said(self) -> &'static str {
        match self {
            Self::Spans => "it holds spans, which llmtrace show and llmtrace stats read",
            Self::Prices => "it holds prices, which are given with --prices",
            Self::Calls => "it holds calls, which llmtrace price --lines reads",
            Self::Response => "it holds a provider's response, which llmtrace price reads",
            Self::Stream => "it holds a stream, which llmtrace price --stream reads",
            Self::Request => "it holds a request; what a call cost stands in its response",
        }
    }

    /// What a file holds, where that can be told.
    pub(crate) fn in_file(path: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        // To open a pipe waits for its writer, who is gone.
        path.metadata().ok().filter(Metadata::is_file)?;
        File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        Self::first_of(&bytes)
    }

    /// What the first JSON value of a text is.
    pub(crate) fn first_of(text: &[u8]) -> Option<Self> {
        let first = serde_json::Deserializer::from_slice(text).into_iter().next()?;
        Self::of(&first.ok()?)
    }

    /// What a JSON value is.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let has = |value: &Value, keys: &[&str]| keys.iter().all(|key| value.get(key).is_some());
        let first = value.get(0).unwrap_or(&Value::Null);
        if has(value, &["v", "trace_id", "span_id"]) {
            Some(Self::Spans)
        } else if has(first, &["model", "input_per_mtok"]) || has(first, &["model", "priced_as"]) {
            Some(Self::Prices)
        } else if value.get("response").is_some_and(Value::is_object)
            || value.get("stream").is_some_and(Value::is_string)
        {
            Some(Self::Calls)
        } else if read_response(value).is_some() {
            Some(Self::Response)
        } else if read_response(first).is_some() {
            Some(Self::Stream)
        } else {
            read_request(value).map(|_| Self::Request)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_value() {
        let check = |text: &str, expected| assert_eq!(Held::first_of(text.as_bytes()), expected, "{text}");
        check(r#"{"v":1,"trace_id":"0","span_id":"0"}{"v":1"#, Some(Held::Spans));
        check(r#"[{"model":"m","input_per_mtok":1}]"#, Some(Held::Prices));
        check(r#"[{"model":"m","priced_as":"n"}]"#, Some(Held::Prices));
        check(r#"{"id":1,"response":{}}"#, Some(Held::Calls));
        check(r#"{"id":1,"stream":"data: {}"}"#, Some(Held::Calls));
        check(r#"{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2}}"#, Some(Held::Response));
        check(r#"[{"usageMetadata":{"promptTokenCount":5},"modelVersion":"m"}]"#, Some(Held::Stream));
        check(r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#, Some(Held::Request));
        for other in ["", "text", "{}", "[]", "[1]", "{\"level\":\"info\"}", "\u{fffd}"] {
            check(other, None);
        }
    }
}
