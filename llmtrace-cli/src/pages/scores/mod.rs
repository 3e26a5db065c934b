//! Judgements of spans: the form that adds one, and what they come to.

pub(crate) mod form;
