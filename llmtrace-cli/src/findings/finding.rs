//! What stands out, and the evidence for it.

use std::borrow::Cow;

use clap::ValueEnum;
use llmtrace::{SpanId, Timestamp, TraceId};
use serde::{Deserialize, Serialize};

use crate::unit::Unit;

/// One thing that stands out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// 16 hex digits, the same whenever the same thing is found.
    pub(crate) id: String,
    /// The rule that found it, such as `tool-loop`.
    pub(crate) rule: Cow<'static, str>,
    /// How much it matters.
    pub(crate) severity: Severity,
    /// What it is, in a few words.
    pub(crate) title: String,
    /// The trace to look at.
    pub(crate) trace_id: Option<TraceId>,
    /// The span to look at.
    pub(crate) span_id: Option<SpanId>,
    /// The name of the spans that it is about.
    pub(crate) name: Option<String>,
    /// The service that they come from.
    pub(crate) service: Option<String>,
    /// The model that they called.
    pub(crate) model: Option<String>,
    /// When it happened, or began.
    pub(crate) time: Timestamp,
    /// Why it stands out.
    pub(crate) evidence: Evidence,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Worth knowing.
    Info,
    /// Likely a mistake, or money lost.
    Warning,
    /// Harm is being done now.
    Critical,
}

/// The figures behind a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// What was seen.
    pub(crate) value: f64,
    /// What the figures count.
    pub(crate) unit: Unit,
    /// What would have been usual, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<Expected>,
    /// How many spans the judgement rests on.
    pub(crate) sample: u64,
    /// Whether it was told by words in a text, which may mean something else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_guess: bool,
    /// All of it in one sentence.
    pub(crate) sentence: String,
}

/// The range of usual figures, in the unit of the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expected {
    /// The smallest.
    pub(crate) low: f64,
    /// The largest.
    pub(crate) high: f64,
}

impl Severity {
    /// `info`, `warning` or `critical`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}
