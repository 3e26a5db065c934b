//! Which traces are shown.

use llmtrace::{SpanRecord, TraceId};

/// Which traces are shown: those that meet every condition, each by any of their spans.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    trace: Option<String>,
    errors: bool,
    session: Option<String>,
}

/// The conditions that the spans of one trace have met so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    error: bool,
    session: bool,
}

/// Digits of a trace id.
const TRACE_DIGITS: usize = 32;

impl Filter {
    pub(crate) fn new(trace: Option<String>, errors: bool, session: Option<String>) -> Self {
        Self { trace, errors, session }
    }

    /// Whether the spans of a trace are worth keeping.
    pub(crate) fn covers(&self, trace_id: TraceId) -> bool {
        self.trace.as_ref().is_none_or(|prefix| trace_id.to_string().starts_with(prefix.as_str()))
    }

    /// Takes note of a span of a trace.
    pub(crate) fn note(&self, met: &mut Met, span: &SpanRecord) {
        met.error |= self.errors && span.status.is_error();
        met.session |= self.session.is_some() && span.session() == self.session.as_deref();
    }

    /// Whether the trace is shown.
    pub(crate) fn is_met(&self, met: Met) -> bool {
        (met.error || !self.errors) && (met.session || self.session.is_none())
    }
}

/// Reads the start of a trace id.
pub(crate) fn trace_prefix(text: &str) -> Result<String, String> {
    let prefix = text.trim().to_ascii_lowercase();
    let digits = prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits && (1..=TRACE_DIGITS).contains(&prefix.len()) {
        Ok(prefix)
    } else {
        Err(format!("expected a trace id of {TRACE_DIGITS} hex digits, or its start"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_an_id_is_hex() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(trace_prefix(text).ok().as_deref(), expected, "{text:?}");
        };
        check("0AF7", Some("0af7"));
        check(&"a".repeat(32), Some(&"a".repeat(32)));
        check(&"a".repeat(33), None);
        check("", None);
        check("xyz", None);
    }
}
