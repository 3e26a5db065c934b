//! `llmtrace bench-explain`: how well methods of attribution find what is known to be there.

mod command;
mod files;
mod measure;
mod methods;
mod table;
mod task;
mod tasks;

pub(crate) use command::{Options, run};
