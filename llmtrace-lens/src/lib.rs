//! LLM tracing inside a local model: run it, read and change every activation, explain what it said.
//!
//! - [`Model`] loads a folder as Hugging Face writes it and runs it; its steps have a [`HookPoint`] each, with TransformerLens's name.
//! - [`analysis`] reads runs (logit lens, direct logit attribution, attention, norms), [`patching`] changes them, [`gradient`] differentiates
//!   them, [`generate`] writes answers step by step.
//! - [`explain`] says which parts of a prompt moved a score, of a local model or of any function: it builds without candle.
//! - [`circuit`] draws the wiring diagram of one answer: which features of the model, wired how, gave it; [`benchmark`] holds such methods
//!   to circuits that are known.
//! - [`bias`] says whether prompts that differ in one attribute are scored alike, and what carries the difference.
//! - [`origin`] says which model wrote a text, [`version_diff`] what changed between two versions of one.
//! - [`report`] draws all of it on one page; [`trace`] puts runs into the application's own trace.
//! - [`handmade`] has models whose weights are known, to hold methods to.
//!
//! ```
//! use llmtrace_lens::handmade::Induction;
//! use llmtrace_lens::{Hooks, Slice};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Induction::model()?; // Model::load("folder")? for one of yours
//! let tokens = model.tokenize("a b c a")?;
//!
//! // What does the induction head look at?
//! let (logits, cache) = model.run_with_cache(&tokens, "blocks.1.attn.hook_pattern")?;
//! assert_eq!(cache.get("pattern1")?.dims(), [1, 4, tokens.len(), tokens.len()]);
//!
//! // And without it?
//! let (layer, head) = Induction::INDUCTION_HEAD;
//! let mut hooks = Hooks::new().zero(format!("blocks.{layer}.attn.hook_z").as_str(), Slice::head(head));
//! let (without, _) = model.run_with_hooks(&tokens, &mut hooks)?;
//! assert_eq!(without.dims(), logits.dims());
//! # Ok(())
//! # }
//! ```
//!
//! Tensors are candle's. Features: `model` (on by default; all but `explain`, `bias`, `report` and the files and
//! the page of `circuit`), `cuda` and `metal` as candle offers them,
//! `hub` (off by default; `Model::download` and `hub`).

#[cfg(feature = "model")]
pub mod analysis;
#[cfg(feature = "model")]
pub mod benchmark;
pub mod bias;
mod cholesky;
pub mod circuit;
#[cfg(feature = "model")]
mod error;
pub mod explain;
#[cfg(feature = "model")]
pub mod generate;
#[cfg(feature = "model")]
pub mod gradient;
#[cfg(feature = "model")]
pub mod handmade;
#[cfg(feature = "model")]
mod hooks;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(feature = "model")]
pub mod inspect;
#[cfg(feature = "model")]
mod model;
#[cfg(feature = "model")]
mod ops;
#[cfg(feature = "model")]
pub mod origin;
#[cfg(feature = "model")]
pub mod patching;
pub mod report;
mod statistics;
#[cfg(feature = "model")]
mod tensor_file;
#[cfg(feature = "model")]
mod toy;
#[cfg(feature = "model")]
pub mod trace;
#[cfg(feature = "model")]
pub mod version_diff;

#[cfg(feature = "model")]
pub use error::{LoadError, RunError};
#[cfg(feature = "model")]
pub use hooks::{ActivationCache, Edges, Filter, HookPoint, Hooks, Mean, Moment, Site, Slice};
#[cfg(feature = "model")]
pub use model::{
    Activation, Config, MlpKind, Model, ModelBuilder, NormKind, Positions, Readout, Residual, Rotary,
    Session, TokenLabel,
};
#[cfg(feature = "model")]
pub use toy::Toy;
