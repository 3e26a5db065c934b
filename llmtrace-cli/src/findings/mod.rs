//! What stands out in a set of traces.

pub(crate) mod finding;
