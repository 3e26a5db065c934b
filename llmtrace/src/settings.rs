//! What holds for everything that is recorded.

use crate::clock::Clock;
use crate::content::ContentPolicy;

/// What limits and policies hold for everything that is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) content: ContentPolicy,
    /// Longest text of an attribute, an argument or a plain return value, in bytes.
    pub(crate) max_text_bytes: usize,
    pub(crate) clock: Clock,
    /// Whether tokens are counted that no provider stated.
    #[cfg(feature = "tokenizer")]
    pub(crate) estimates_tokens: bool,
}

impl Settings {
    /// Longest serialised body (a provider's request or response) that is copied, in bytes.
    pub(crate) fn max_body_bytes(&self) -> usize {
        self.max_text_bytes.saturating_mul(16)
    }

    /// Most that an open span may hold, in bytes; what comes after is left out, and the span says so.
    pub(crate) fn max_span_bytes(&self) -> usize {
        self.max_text_bytes.saturating_mul(64)
    }
}
