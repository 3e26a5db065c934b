//! A run of a local model in the trace of the program around it.
//!
//! Where the program has an [`LlmLayer`](llmtrace::LlmLayer), each answer is a generation span of the provider
//! `llmtrace.local`, below whatever span is current. How much is told is a [`Detail`]:
//!
//! ```text
//! text_completion toy            summary: prompt, answer, tokens, first-token time, sampling, entropy, memory
//!   prompt                       layers: one span a pass, with the token that was chosen after it
//!     embed
//!     block 0                    residual norms, findings
//!       attention
//!       mlp
//!     unembed
//!   step 1                       full: blocks below every step
//! ```
//!
//! ```no_run
//! use llmtrace_lens::Model;
//! use llmtrace_lens::trace::{Artifacts, Detail};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracing = llmtrace::builder().service_name("support-bot").install()?; // and `.exporter(...)`
//! let model = Model::load("models/toy")?;
//! let generator = model.generator().detail(Detail::Layers).artifacts(Artifacts::in_folder("traces/tensors"));
//! println!("{}", generator.run("The capital of Texas is")?.text);
//! # tracing.shutdown(std::time::Duration::from_secs(5))?;
//! # Ok(())
//! # }
//! ```
//!
//! Names follow the `OpenTelemetry` GenAI conventions where they have one; the others are in [`names`]. Tokens are
//! counted by the tokenizer. There is no cost: nobody knows the price of a local run. Where the layer leaves content out,
//! prompts, answers and tokens are left out here too; a file of [`Artifacts`] holds what it holds, and is only written
//! where it is asked for.

mod artifact;
mod detail;
pub mod names;
mod norms;
mod pass;
mod reading;
mod run;
mod tell;

pub use artifact::{Artifact, ArtifactTensor, Artifacts};
pub(crate) use artifact::{ArtifactWriter, stem};
pub use detail::{Detail, ParseDetailError};
pub use norms::{MAX_MASSIVE, Massive, ResidualNorms};
pub(crate) use pass::seconds;
pub use pass::{BlockReport, PassReport};
pub use reading::Reading;
pub(crate) use run::RunTrace;
