//! `llmtrace lens`: inside a local model.

mod attention;
mod bias;
mod command;
mod diff;
mod dump;
mod explain;
mod features;
mod generate;
mod graph;
#[cfg(feature = "hub")]
mod hub;
#[cfg(not(feature = "hub"))]
#[path = "no_hub.rs"]
mod hub;
mod input;
mod logit_lens;
mod origin;
mod output;
mod patch;
mod progress;
mod report;
mod segments;
mod train_transcoder;

pub(crate) use command::{Options, run};
pub(crate) use input::wrong;
pub(crate) use progress::Steps;
