//! Two traces side by side, and two sets of spans in figures.

mod align;
pub(crate) mod command;
pub(crate) mod delta;
pub(crate) mod diff;
mod group_report;
pub(crate) mod groups;
mod interval;
mod sample;
pub(crate) mod side;
#[cfg(test)]
mod tests;
mod trace_report;
pub(crate) mod traces;
mod tree;
mod words;

pub(crate) use groups::{Group, GroupComparison, groups};
pub(crate) use traces::{TraceComparison, traces};
