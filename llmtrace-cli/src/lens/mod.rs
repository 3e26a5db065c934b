//! `llmtrace lens`: inside a local model.

#[cfg(feature = "lens")]
mod attention;
#[cfg(feature = "lens")]
mod command;
#[cfg(feature = "lens")]
mod dump;
#[cfg(feature = "lens")]
mod explain;
#[cfg(feature = "lens")]
mod features;
#[cfg(feature = "lens")]
mod generate;
#[cfg(feature = "lens")]
mod graph;
#[cfg(feature = "lens")]
mod input;
#[cfg(feature = "lens")]
mod logit_lens;
#[cfg(feature = "lens")]
mod origin;
#[cfg(feature = "lens")]
mod output;
#[cfg(feature = "lens")]
mod patch;
#[cfg(feature = "lens")]
mod progress;
#[cfg(feature = "lens")]
mod report;
#[cfg(not(feature = "lens"))]
mod without;

#[cfg(feature = "lens")]
pub(crate) use command::{Options, run};
#[cfg(not(feature = "lens"))]
pub(crate) use without::{Options, run};
