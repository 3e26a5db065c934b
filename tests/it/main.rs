//! What a user of llmtrace sees, tested at its public surface.

mod calls;
mod compose;
mod content;
mod foreign;
mod layer;
mod pipeline;
mod runtimes;
