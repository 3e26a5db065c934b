//! Two sets of spans in figures.

use serde::Serialize;

use crate::unit::Unit;

/// Two sets of spans in figures: two times, two tags, two files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct GroupComparison {
    pub(crate) a: GroupSide,
    pub(crate) b: GroupSide,
    /// The figures of both.
    pub(crate) measures: Vec<Measure>,
    /// Which models were called, the most called first.
    pub(crate) models: Vec<ModelShare>,
}

/// One of two sets.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct GroupSide {
    /// What it is, in the asker's words.
    pub(crate) label: String,
    pub(crate) spans: u64,
    pub(crate) traces: u64,
    /// Calls of models; a call inside a call counts once.
    pub(crate) calls: u64,
    pub(crate) errors: u64,
    /// Calls without a cost.
    pub(crate) unpriced: u64,
}

/// One figure of both sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Measure {
    /// What it is, such as `cost per call`.
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) a: Option<f64>,
    pub(crate) b: Option<f64>,
    /// How many calls the figures rest on.
    pub(crate) a_sample: u64,
    pub(crate) b_sample: u64,
    /// How they differ, where both sides have enough calls to say so.
    pub(crate) change: Option<Interval>,
    pub(crate) verdict: Verdict,
}

/// A change and the range in which it lies with 95 % confidence: a factor, or of shares a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Interval {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// What may be said of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The second is larger.
    Higher,
    /// The second is smaller.
    Lower,
    /// The difference may be chance.
    Unclear,
    /// Too few calls on a side, or a sum that says nothing of a call.
    Unjudged,
}

/// How often a model was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ModelShare {
    pub(crate) model: Option<String>,
    pub(crate) a_calls: u64,
    pub(crate) b_calls: u64,
}
