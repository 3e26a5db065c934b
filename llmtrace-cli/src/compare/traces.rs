//! Two traces side by side.

use serde::Serialize;

use super::delta::Delta;
use super::diff::MessageDiff;
use super::side::{SpanSide, TraceSide};

/// Two traces side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TraceComparison {
    pub(crate) a: TraceSide,
    pub(crate) b: TraceSide,
    /// The sums of both.
    pub(crate) totals: Vec<Delta>,
    /// Their spans in the order of one tree, those that answer each other in one row.
    pub(crate) rows: Vec<SpanPair>,
    /// Rows beyond the bound, which are left out.
    pub(crate) left_out: u64,
}

/// Two spans that answer each other, or one that only one side has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SpanPair {
    /// How many spans it lies in.
    pub(crate) depth: u32,
    pub(crate) a: Option<SpanSide>,
    pub(crate) b: Option<SpanSide>,
    /// The figures of both.
    pub(crate) deltas: Vec<Delta>,
    /// How what was said differs; `None` where it does not, or where only one side has the span.
    pub(crate) messages: Option<MessageDiff>,
}
