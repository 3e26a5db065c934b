//! Client crates against servers that speak the real wire formats, and what is recorded of their calls.

#![allow(clippy::unwrap_used, reason = "tests")]

mod middleware;

mod transparent;
