//! What pages are tested with.

use llmtrace::{Timestamp, TraceId, Usd};

use crate::store::row::{Tokens, TraceRow, TraceStatus};

/// A text that does harm where it is taken for more than text.
pub(crate) const HOSTILE: &str = "\"><script>alert(1)</script>\u{202e}";

/// A trace whose texts are hostile; the second one failed.
pub(crate) fn trace(number: u8) -> TraceRow {
    TraceRow {
        id: 1,
        trace_id: TraceId::from_bytes([number; 16]).unwrap(),
        name: HOSTILE.to_owned(),
        service: None,
        environment: None,
        start: at(0),
        end: at(2),
        spans: 1,
        errors: u64::from(number == 2),
        status: TraceStatus::Ok,
        error: None,
        has_root: true,
        calls: 1,
        tokens: Tokens { input: Some(1_000 * u64::from(number)), output: Some(20), ..Tokens::default() },
        cost: Some(Usd::from_pico(12_300_000_000)),
        unpriced: 0,
        is_cost_lower_bound: true,
        uncounted: 0,
        estimated: 0,
        first_chunk: None,
        session: None,
        user: None,
        input: Some(HOSTILE.to_owned()),
        output: None,
        models: Vec::new(),
        providers: Vec::new(),
        tags: Vec::new(),
        change: 1,
    }
}

/// A moment in seconds after one in November 2026.
fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_nanos((1_795_334_400 + seconds) * 1_000_000_000)
}
