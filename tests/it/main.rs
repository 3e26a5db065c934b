//! What a user of llmtrace sees, tested at its public surface.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod calls;
mod compose;
mod content;
mod delivery;
mod delivery_hostile;
mod delivery_kill;
mod delivery_spool;
mod delivery_tls;
mod exits;
mod foreign;
mod langfuse;
mod layer;
mod macro_cost;
mod macro_forms;
mod macro_properties;
mod macro_records;
mod macro_streams;
mod native_servers;
mod neighbours;
mod pipeline;
mod redaction;
mod regressions;
mod runtimes;
mod sampling;
mod sampling_model;
mod shutdown;
mod span_macros;
mod streams;
mod sums;
mod webhook;
