//! `llmtrace serve` as programs and browsers meet it.

mod api;
mod hostile;
mod safety;
mod server;
mod spans;
mod start;
