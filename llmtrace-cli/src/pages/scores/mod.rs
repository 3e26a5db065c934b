//! Judgements of spans: the form that adds one, and what those of each name come to.

pub(crate) mod form;
pub(crate) mod summary;
