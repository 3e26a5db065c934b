//! `llmtrace serve` as programs and browsers meet it.

mod safety;
mod server;
mod start;
