//! What stands out in a set of traces.
//!
//! Two passes: what is usual is learned of every span ([`Baseline`]), then each trace is judged by rules ([`Analyst`]).

mod analyst;
mod baseline;
mod bins;
mod chance;
pub(crate) mod command;
mod counted;
mod finding;
mod fingerprint;
mod finish;
mod growth;
mod outlier;
mod report;
mod rule;
mod rules;
mod sessions;
mod summary;
#[cfg(test)]
mod tests;
mod texts;
mod timeline;
mod trace;

pub(crate) use analyst::{Analyst, sort};
pub(crate) use baseline::Baseline;
pub(crate) use bins::Bins;
#[cfg(test)]
pub(crate) use finding::Expected;
pub(crate) use finding::{Evidence, Finding, Severity};
pub(crate) use rules::about;
pub(crate) use summary::{Metric, SpanSummary};
pub(crate) use trace::counted_calls;
