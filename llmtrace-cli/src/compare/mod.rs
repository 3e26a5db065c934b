//! Two traces side by side, and two sets of spans in figures.

pub(crate) mod delta;
pub(crate) mod diff;
pub(crate) mod groups;
pub(crate) mod side;
pub(crate) mod traces;
