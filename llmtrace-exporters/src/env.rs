//! The environment: the only place that reads it.

use std::env;

/// Whether the user wants no colour anywhere: `NO_COLOR` is set (<https://no-color.org>), or the terminal can
/// show none.
pub(crate) fn no_color() -> bool {
    let is = |name: &str, wanted: fn(&str) -> bool| {
        env::var_os(name).is_some_and(|value| wanted(&value.to_string_lossy()))
    };
    is("NO_COLOR", |value| !value.is_empty()) || is("TERM", |value| value == "dumb")
}

/// The width of the terminal, where `COLUMNS` states it.
pub(crate) fn columns() -> Option<usize> {
    env::var("COLUMNS").ok()?.parse().ok()
}
