//! What must hold of every stream, however it is cut.

use llmtrace::provider::{Api, Exchange, StreamAssembler};
use llmtrace::{Usage, UsageStatus};

/// Longest body that a debug build cuts off at every byte; of longer ones it takes every 97th.
const EVERY_BYTE: usize = 64 * 1024;

/// Reads a stream whole.
pub(crate) fn read(api: Api, body: &[u8]) -> Exchange {
    StreamAssembler::new(api).push(body).finish()
}

/// Wherever the network cuts a stream into chunks, it reads the same.
pub(crate) fn check_chunks(name: &str, api: Api, body: &[u8]) {
    let whole = read(api, body);
    for size in [1, 2, 7, 4096] {
        let mut stream = StreamAssembler::new(api);
        for chunk in body.chunks(size) {
            stream.push(chunk);
        }
        assert_eq!(stream.finish(), whole, "{name} in pieces of {size}");
    }
}

/// A stream that ends early claims no more than it knows: its counts are lower bounds, or absent.
pub(crate) fn check_early_ends(name: &str, api: Api, body: &[u8]) {
    let whole = read(api, body);
    let step = if cfg!(debug_assertions) && body.len() > EVERY_BYTE { 97 } else { 1 };
    let mut stream = StreamAssembler::new(api);
    for (at, chunk) in body.chunks(step).enumerate() {
        stream.push(chunk);
        let cut = stream.clone().finish().usage;
        match cut.status {
            UsageStatus::Complete | UsageStatus::Partial => {
                assert_eq!(cut, whole.usage, "{name} at {}", at * step);
            }
            UsageStatus::Interrupted => assert_lower(&cut, &whole.usage, name),
            UsageStatus::Missing => assert_eq!(cut, whole.usage, "{name} at {}", at * step),
            other => assert_eq!(other, whole.usage.status, "{name} at {}", at * step),
        }
    }
    assert_eq!(stream.finish(), whole, "{name} to its end");
}

fn assert_lower(cut: &Usage, whole: &Usage, name: &str) {
    let counts = |usage: &Usage| {
        [
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
            usage.tool_use_tokens,
            usage.web_searches,
        ]
    };
    for (cut, whole) in counts(cut).into_iter().zip(counts(whole)) {
        assert!(cut <= whole, "{name}: {cut:?} of {whole:?}");
        assert!(cut != Some(0) || whole == Some(0), "{name}: nothing of {whole:?}");
    }
}
