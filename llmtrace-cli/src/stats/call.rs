//! What counts of one call.

use llmtrace::{SpanRecord, Usage, UsageSource, UsageStatus, Usd, Value, semconv};

use super::By;

/// What counts of one call of a model.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// What it is told apart by.
    pub(crate) key: Option<Box<str>>,
    pub(crate) failed: bool,
    pub(crate) tokens: Tokens,
    pub(crate) counted: Counted,
    pub(crate) cost: Result<Usd, Reason>,
    /// Whether fees are missing in the cost.
    pub(crate) is_cost_incomplete: bool,
    /// From start to end, in nanoseconds.
    pub(crate) latency: u64,
    /// To the first content of a stream, in nanoseconds.
    pub(crate) first_chunk: Option<u64>,
}

/// Token counts; `None` is what nobody stated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cache_write: Option<u64>,
    pub(crate) reasoning: Option<u64>,
}

/// How far the tokens of a call are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// In full; of a call that failed, also if it states none.
    InFull,
    /// In full, by an estimate.
    Estimated,
    /// In part, or not at all.
    InPart,
}

/// Why a call has no cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// No price is known for the model.
    UnknownModel,
    /// The tokens are not known, or not in full.
    NoUsage,
    /// The token counts contradict each other.
    InvalidUsage,
    /// It failed, and states no tokens.
    Failed,
    /// The span does not say why.
    Unsaid,
}

impl Call {
    /// What counts of a span; `None` if it is no call of a model.
    pub(crate) fn read(span: &SpanRecord, by: By) -> Option<Self> {
        if !span.kind.is_model_call() {
            return None;
        }
        let usage = span.usage();
        let (cost, is_cost_incomplete) = cost(span);
        let failed = span.status.is_error();
        Some(Self {
            key: by.key(span),
            failed,
            tokens: Tokens {
                input: usage.input_tokens,
                output: usage.output_tokens,
                cache_read: usage.cache_read_tokens,
                cache_write: usage.cache_write_tokens,
                reasoning: usage.reasoning_tokens,
            },
            counted: Counted::of(&usage, failed),
            cost: cost.map_err(|reason| if failed && usage.is_empty() { Reason::Failed } else { reason }),
            is_cost_incomplete,
            latency: u64::try_from(span.duration().as_nanos()).unwrap_or(u64::MAX),
            first_chunk: span.time_to_first_chunk().and_then(nanos),
        })
    }

    /// Whether it states tokens or a cost of its own.
    pub(crate) fn has_figures(&self) -> bool {
        self.tokens.input.is_some() || self.tokens.output.is_some() || self.cost.is_ok()
    }
}

impl Counted {
    fn of(usage: &Usage, failed: bool) -> Self {
        match (usage.status, usage.source) {
            (UsageStatus::Complete, UsageSource::Estimated) => Self::Estimated,
            (UsageStatus::Complete, _) => Self::InFull,
            _ if failed && usage.is_empty() => Self::InFull,
            _ => Self::InPart,
        }
    }
}

impl Reason {
    /// The name in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UnknownModel => "unknown_model",
            Self::NoUsage => "no_usage",
            Self::InvalidUsage => "invalid_usage",
            Self::Failed => "failed",
            Self::Unsaid => "unsaid",
        }
    }

    /// The reason in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::UnknownModel => "no price known for the model",
            Self::NoUsage => "tokens not stated in full",
            Self::InvalidUsage => "token counts that contradict each other",
            Self::Failed => "failed",
            Self::Unsaid => "no reason given",
        }
    }
}

/// The cost, or why there is none; and whether fees are missing in it.
fn cost(span: &SpanRecord) -> (Result<Usd, Reason>, bool) {
    let reason = || match span.attributes.get_str(semconv::COST_STATUS) {
        Some("unknown_model") => Reason::UnknownModel,
        Some("no_usage") => Reason::NoUsage,
        Some("invalid_usage") => Reason::InvalidUsage,
        _ => Reason::Unsaid,
    };
    let incomplete = span.attributes.get(semconv::COST_INCOMPLETE).and_then(Value::as_bool);
    (span.cost().ok_or_else(reason), incomplete == Some(true))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn nanos(seconds: f64) -> Option<u64> {
    (0.0..1e9).contains(&seconds).then_some((seconds * 1e9).round() as u64)
}
