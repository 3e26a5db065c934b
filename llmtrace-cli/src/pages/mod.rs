//! The web pages: pure functions from what was read of the store to HTML. Nothing here does I/O.
//!
//! A page is a body inside the [`layout`]; what pages have in common are [`components`]. Data appears only as text, which
//! maud escapes; there is no inline script and no style attribute, so that the content security policy can forbid both.

pub(crate) mod assets;
pub(crate) mod chart;
pub(crate) mod circuit;
pub(crate) mod compare;
pub(crate) mod components;
pub(crate) mod dashboard;
pub(crate) mod dataset;
pub(crate) mod findings;
pub(crate) mod layout;
pub(crate) mod query;
pub(crate) mod range;
#[cfg(test)]
mod sample;
pub(crate) mod scores;
pub(crate) mod sessions;
#[cfg(test)]
mod testing;
pub(crate) mod trace;
pub(crate) mod traces;
