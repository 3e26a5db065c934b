//! Two traces side by side, and two sets of spans in figures.

pub(crate) mod asked;
pub(crate) mod groups;
mod messages;
pub(crate) mod picker;
mod rows;
mod totals;
pub(crate) mod traces;

/// Where the page stands.
pub(crate) const PATH: &str = "/compare";

#[cfg(test)]
mod tests;
