//! What a user of llmtrace sees, tested at its public surface.

mod calls;
mod compose;
mod content;
mod foreign;
mod layer;
mod macro_forms;
mod pipeline;
mod runtimes;
