//! Token counts of one call.

use std::fmt;

use crate::semconv;

/// The token counts of one call: inclusive totals and the parts of them that are known.
///
/// A count that the provider did not state is `None`, never 0. `input_tokens` counts everything the model
/// read, cache reads and writes included; `output_tokens` counts everything it wrote, reasoning included.
/// That is the meaning `OpenTelemetry` gives these names, whatever the provider's own API says.
///
/// ```
/// use llmtrace::{Usage, UsageStatus};
///
/// let usage = Usage::new(1_200, 80).with_cache_read(1_000).with_reasoning(64);
/// assert_eq!(usage.status, UsageStatus::Complete);
/// assert_eq!(usage.total(), Some(1_280));
/// // A part larger than its whole cannot be right, and is never priced.
/// assert_eq!(Usage::new(10, 1).with_cache_read(11).checked().status, UsageStatus::Invalid);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// How far the counts may be trusted.
    pub status: UsageStatus,
    /// Who counted.
    pub source: UsageSource,
    /// All input, cache reads and writes included.
    pub input_tokens: Option<u64>,
    /// All output, reasoning included.
    pub output_tokens: Option<u64>,
    /// The total as the provider stated it; [`Usage::total`] derives one.
    pub total_tokens: Option<u64>,
    /// Part of the input: read from a cache.
    pub cache_read_tokens: Option<u64>,
    /// Part of the input: written to a cache.
    pub cache_write_tokens: Option<u64>,
    /// Part of the cache writes: those that live five minutes.
    pub cache_write_5m_tokens: Option<u64>,
    /// Part of the cache writes: those that live one hour.
    pub cache_write_1h_tokens: Option<u64>,
    /// Part of the output: reasoning.
    pub reasoning_tokens: Option<u64>,
    /// Part of the input: text.
    pub input_text_tokens: Option<u64>,
    /// Part of the input: audio.
    pub input_audio_tokens: Option<u64>,
    /// Part of the input: images.
    pub input_image_tokens: Option<u64>,
    /// Part of the input: video.
    pub input_video_tokens: Option<u64>,
    /// Part of the cache reads: text.
    pub cache_read_text_tokens: Option<u64>,
    /// Part of the cache reads: audio.
    pub cache_read_audio_tokens: Option<u64>,
    /// Part of the cache reads: images.
    pub cache_read_image_tokens: Option<u64>,
    /// Part of the cache reads: video.
    pub cache_read_video_tokens: Option<u64>,
    /// Part of the output: text.
    pub output_text_tokens: Option<u64>,
    /// Part of the output: audio.
    pub output_audio_tokens: Option<u64>,
    /// Part of the output: images.
    pub output_image_tokens: Option<u64>,
    /// Part of the output: predicted tokens that were right (`OpenAI` predicted outputs).
    pub accepted_prediction_tokens: Option<u64>,
    /// Part of the output: predicted tokens that were wrong, and are billed all the same.
    pub rejected_prediction_tokens: Option<u64>,
    /// Part of the input: results of tools that the provider ran.
    pub tool_use_tokens: Option<u64>,
    /// Web searches that the provider ran (a count, not tokens).
    pub web_searches: Option<u64>,
    /// File searches that the provider ran (a count, not tokens).
    pub file_searches: Option<u64>,
    /// Searches of a reranker (Cohere `search_units`; a count, not tokens).
    pub rerank_searches: Option<u64>,
    /// Audio that was transcribed or read, in seconds.
    pub audio_seconds: Option<u64>,
    /// Pages of documents that were read (a count, not tokens).
    pub document_pages: Option<u64>,
}

/// How far the counts of a [`Usage`] may be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UsageStatus {
    /// The provider stated no usage.
    #[default]
    Missing,
    /// The provider stated all of it.
    Complete,
    /// Some of it is stated: what stands there is a lower bound.
    Partial,
    /// The answer was cut off before its usage arrived; what stands there, if anything, is a lower bound.
    Interrupted,
    /// The counts contradict each other: a part is larger than its whole.
    Invalid,
}

/// Who counted the tokens of a [`Usage`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsageSource {
    /// The provider.
    #[default]
    Provider,
    /// A tokenizer or a rule on this side; never priced as if stated.
    Estimated,
}

/// The counts of a [`Usage`] and the attributes that hold them.
macro_rules! usage_attributes {
    ($visit:ident) => {
        $visit! {
            USAGE_INPUT_TOKENS => input_tokens,
            USAGE_OUTPUT_TOKENS => output_tokens,
            USAGE_TOTAL_TOKENS => total_tokens,
            USAGE_CACHE_READ_TOKENS => cache_read_tokens,
            USAGE_CACHE_WRITE_TOKENS => cache_write_tokens,
            USAGE_CACHE_WRITE_5M_TOKENS => cache_write_5m_tokens,
            USAGE_CACHE_WRITE_1H_TOKENS => cache_write_1h_tokens,
            USAGE_REASONING_TOKENS => reasoning_tokens,
            USAGE_INPUT_TEXT_TOKENS => input_text_tokens,
            USAGE_INPUT_AUDIO_TOKENS => input_audio_tokens,
            USAGE_INPUT_IMAGE_TOKENS => input_image_tokens,
            USAGE_INPUT_VIDEO_TOKENS => input_video_tokens,
            USAGE_CACHE_READ_TEXT_TOKENS => cache_read_text_tokens,
            USAGE_CACHE_READ_AUDIO_TOKENS => cache_read_audio_tokens,
            USAGE_CACHE_READ_IMAGE_TOKENS => cache_read_image_tokens,
            USAGE_CACHE_READ_VIDEO_TOKENS => cache_read_video_tokens,
            USAGE_OUTPUT_TEXT_TOKENS => output_text_tokens,
            USAGE_OUTPUT_AUDIO_TOKENS => output_audio_tokens,
            USAGE_OUTPUT_IMAGE_TOKENS => output_image_tokens,
            USAGE_ACCEPTED_PREDICTION_TOKENS => accepted_prediction_tokens,
            USAGE_REJECTED_PREDICTION_TOKENS => rejected_prediction_tokens,
            USAGE_TOOL_USE_TOKENS => tool_use_tokens,
            USAGE_WEB_SEARCHES => web_searches,
            USAGE_FILE_SEARCHES => file_searches,
            USAGE_RERANK_SEARCHES => rerank_searches,
            USAGE_AUDIO_SECONDS => audio_seconds,
            USAGE_DOCUMENT_PAGES => document_pages,
        }
    };
}

impl UsageStatus {
    /// The lower-case name, as `llmtrace.usage.status` holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Interrupted => "interrupted",
            Self::Invalid => "invalid",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Missing, Self::Complete, Self::Partial, Self::Interrupted, Self::Invalid]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

impl UsageSource {
    /// The lower-case name, as `llmtrace.usage.source` holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Estimated => "estimated",
        }
    }
}

impl fmt::Display for UsageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Usage {
    /// Complete counts of a call: all input and all output tokens.
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Self {
            status: UsageStatus::Complete,
            input_tokens: Some(input_tokens),
            output_tokens: Some(output_tokens),
            ..Self::default()
        }
    }

    /// Says how much of the input was read from a cache.
    pub fn with_cache_read(mut self, tokens: u64) -> Self {
        self.cache_read_tokens = Some(tokens);
        self
    }

    /// Says how much of the input was written to a cache.
    pub fn with_cache_write(mut self, tokens: u64) -> Self {
        self.cache_write_tokens = Some(tokens);
        self
    }

    /// Says how much of the output was reasoning.
    pub fn with_reasoning(mut self, tokens: u64) -> Self {
        self.reasoning_tokens = Some(tokens);
        self
    }

    /// Whether no count at all is known.
    pub fn is_empty(&self) -> bool {
        let Self { status: _, source: _, .. } = self;
        Self { status: UsageStatus::Missing, source: UsageSource::Provider, ..self.clone() }
            == Self::default()
    }

    /// How far a provider states the counts: all of them where it states the input and the output.
    pub(crate) fn stated_status(&self) -> UsageStatus {
        match (self.input_tokens, self.output_tokens) {
            (Some(_), Some(_)) => UsageStatus::Complete,
            _ if self.is_empty() => UsageStatus::Missing,
            _ => UsageStatus::Partial,
        }
    }

    /// Input and output together, else the stated total; `None` if neither is known.
    pub fn total(&self) -> Option<u64> {
        match (self.input_tokens, self.output_tokens) {
            (Some(input), Some(output)) => Some(input.saturating_add(output)),
            _ => self.total_tokens,
        }
    }

    /// Whether an attribute's key may be one of a usage.
    pub(crate) fn is_key(key: &str) -> bool {
        key.starts_with("gen_ai.usage.") || key.starts_with("llmtrace.usage.")
    }

    /// Sets the count that the attribute `key` holds; other keys are passed over.
    pub(crate) fn set(&mut self, key: &str, count: Option<u64>) {
        macro_rules! set {
            ($($key:ident => $field:ident,)*) => {
                match key {
                    $(semconv::$key => self.$field = count,)*
                    _ => {}
                }
            };
        }
        usage_attributes!(set);
    }

    /// Calls `visit` with the attribute key and the value of every count that is known.
    pub(crate) fn for_each_count(&self, mut visit: impl FnMut(&'static str, u64)) {
        macro_rules! visit {
            ($($key:ident => $field:ident,)*) => {
                $(if let Some(count) = self.$field {
                    visit(semconv::$key, count);
                })*
            };
        }
        usage_attributes!(visit);
    }

    /// The counts that are known, each with the name of its field.
    ///
    /// ```
    /// use llmtrace::Usage;
    ///
    /// let usage = Usage::new(1_200, 80).with_reasoning(64);
    /// let counts: Vec<_> = usage.counts().collect();
    /// assert_eq!(counts, [("input_tokens", 1_200), ("output_tokens", 80), ("reasoning_tokens", 64)]);
    /// ```
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        macro_rules! counts {
            ($($key:ident => $field:ident,)*) => {
                [$((stringify!($field), self.$field)),*]
            };
        }
        let all = usage_attributes!(counts);
        all.into_iter().filter_map(|(name, count)| Some((name, count?)))
    }

    /// These counts with those over them that `newer` knows.
    pub(crate) fn overlaid(mut self, newer: &Self) -> Self {
        macro_rules! overlay {
            ($($key:ident => $field:ident,)*) => {
                $(self.$field = newer.$field.or(self.$field);)*
            };
        }
        usage_attributes!(overlay);
        self
    }

    /// The same counts, with the status set to [`UsageStatus::Invalid`] if a part is larger than its whole.
    pub fn checked(mut self) -> Self {
        if self.contradicts_itself() {
            self.status = UsageStatus::Invalid;
        }
        self
    }

    /// Whether a part is larger than its whole.
    pub(crate) fn contradicts_itself(&self) -> bool {
        let exceeds = |part: Option<u64>, whole: Option<u64>| {
            part.is_some_and(|part| whole.is_some_and(|whole| part > whole))
        };
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        exceeds(sum(self.cache_read_tokens, self.cache_write_tokens), self.input_tokens)
            || exceeds(sum(self.cache_write_5m_tokens, self.cache_write_1h_tokens), self.cache_write_tokens)
            || exceeds(self.input_audio_tokens, self.input_tokens)
            || exceeds(self.input_image_tokens, self.input_tokens)
            || exceeds(self.input_video_tokens, self.input_tokens)
            || exceeds(self.tool_use_tokens, self.input_tokens)
            || exceeds(self.cache_read_audio_tokens, self.cache_read_tokens)
            || exceeds(self.cache_read_image_tokens, self.cache_read_tokens)
            || exceeds(self.cache_read_video_tokens, self.cache_read_tokens)
            || exceeds(self.reasoning_tokens, self.output_tokens)
            || exceeds(self.output_audio_tokens, self.output_tokens)
            || exceeds(self.output_image_tokens, self.output_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_larger_than_its_whole_is_invalid() {
        let check = |usage: Usage, status| assert_eq!(usage.checked().status, status);
        check(Usage::new(10, 5).with_cache_read(6).with_cache_write(4), UsageStatus::Complete);
        check(Usage::new(10, 5).with_cache_read(6).with_cache_write(5), UsageStatus::Invalid);
        check(Usage::new(10, 5).with_reasoning(6), UsageStatus::Invalid);
        check(Usage { cache_read_tokens: Some(6), ..Usage::default() }, UsageStatus::Missing);
    }

    #[test]
    fn nothing_known_is_not_zero() {
        assert!(Usage::default().is_empty());
        assert_eq!(Usage::default().total(), None);
        assert!(!Usage::new(0, 0).is_empty());
    }
}
