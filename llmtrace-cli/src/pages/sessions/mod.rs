//! Sessions: conversations over their traces.

pub(crate) mod list;
pub(crate) mod one;
mod sums;
pub(crate) mod turn;

use super::query::encoded;

/// Where the list stands.
pub(crate) const PATH: &str = "/sessions";

/// Where a session stands.
pub(crate) fn path(session: &str) -> String {
    format!("{PATH}/{}", encoded(session))
}

#[cfg(test)]
mod tests;
