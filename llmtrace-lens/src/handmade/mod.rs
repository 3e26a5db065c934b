//! Models built by hand, whose every weight is known: the ground truth that a method of analysis can be tried on.
//!
//! Each is a GPT-2 of two blocks whose stream is cut into named ranges of dimensions, one fact a dimension. Two devices make them exact:
//!
//! - **The norms do nothing.** Their epsilon is 2^40 and their gain 2^20, so a layer norm only takes the mean of the stream away
//!   (variances below 2^16 vanish beside the epsilon in f32), and whatever writes to the stream writes its sum's opposite to the last dimension, so that the mean is 0.
//! - **Attention is sharp or even.** Scores that should win are at least 128 above the others, whose weight is then 0 in f32; scores that should not decide are equal.
//!
//! Heads and neurons that are of no use are there too: they write to a range that nothing reads.
//!
//! ```
//! use llmtrace_lens::handmade::Induction;
//!
//! let model = Induction::model()?;
//! let tokens = model.tokenize("a b c d e a")?;
//! let logits = model.run(&tokens)?.squeeze(0)?.get(6)?;
//! assert_eq!(logits.argmax(0)?.to_scalar::<u32>()?, model.tokenize("b")?[1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod author;
mod biased;
mod brackets;
mod harmful;
mod induction;
mod sketch;
mod two_step;

pub use author::Author;
pub use biased::Biased;
pub use brackets::Brackets;
pub use harmful::Harmful;
pub use induction::Induction;
pub use two_step::{Edit, KnownEdge, KnownNode, TwoStep};
