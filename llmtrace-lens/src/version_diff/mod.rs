//! What changed between two versions of a model: before and after fine-tuning, two checkpoints, two releases.
//!
//! Both read the same prompts. A [`Comparison`] tells how far the residual stream has drifted after each layer, which heads and
//! neurons do something else *given the same input*, which of them carry the change of the answers, which weights moved, and
//! what is answered differently. Everything is held to noise: a third model, the older one with each weight moved by as
//! much as rounding to bf16 may move it, says how large a change means nothing. What is not well above it is not reported.
//!
//! ```
//! use llmtrace_lens::Toy;
//! use llmtrace_lens::version_diff::Comparison;
//!
//! let (before, after) = (Toy::Relu.load()?, Toy::Houston.load()?);
//! let diff = Comparison::new(&before, &after)?.run(&["the capital of the state containing Dallas is"])?;
//! assert_eq!(diff.answers[0].after.text.trim(), "Houston .");
//! assert!(diff.changed_weights().all(|weight| weight.name.starts_with("blocks.2.mlp.")));
//! println!("{diff}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod cka;
mod comparison;
mod diff;
mod effects;
mod error;
mod features;
mod limits;
mod measured;
mod neurons;
mod pictures;
mod runs;
mod same_shape;
mod shown;
mod weights;

pub use answers::{Answer, AnswerChange, AnswerStatus};
pub use cka::linear_cka;
pub use comparison::Comparison;
pub use diff::{FeatureChange, HeadChange, LayerDrift, NeuronChange, PartEffect, Place, VersionDiff};
pub use error::DiffError;
pub use limits::Limits;
pub use same_shape::SettingChange;
pub use weights::{WeightChange, WeightStatus};
