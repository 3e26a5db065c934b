//! `llmtrace serve` as programs and browsers meet it.

mod api;
mod hostile;
mod safety;
pub(crate) mod server;
mod spans;
mod start;
