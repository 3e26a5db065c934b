//! Which parts of a prompt moved the score: for any function of the masked prompt, so for remote models too.
//!
//! ```
//! use llmtrace_lens::explain::{self, Parts};
//!
//! # fn score(prompt: &str) -> f64 { f64::from(u8::from(prompt.contains("Dallas"))) }
//! let parts = Parts::words("the capital of the state containing Dallas is");
//! let attribution = explain::shapley(&parts, |prompt| score(prompt))?;
//! println!("{attribution}");
//! assert_eq!(attribution.top(1)[0].part.label, "Dallas");
//! # Ok::<(), explain::ExplainError>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | split a prompt, and say what masks a part | [`Parts`] |
//! | bound and price the calls, share them between methods | [`Game`] |
//! | know the cost before | [`Game::plan`] |
//! | explain | [`Shapley`], [`KernelShap`], [`Owen`], [`Permutation`], [`Lime`], [`LeaveOneOut`], or a [`Method`] of yours |
//! | explain a local model, also by its gradients and its attention | `TokenGame` (feature `model`) |
//! | judge an explanation beside chance | [`Game::judge`] |
//! | see it in the trace | nothing more: each run is a span; [`Attribution::record_on`] for another one |
//!
//! Nothing here needs a model on this machine, nor candle. What a score function returns is up to the question: a
//! probability, a log-probability, a likeness to an answer, or whether the answer holds a word.

mod attribution;
mod coalition;
mod cost;
mod error;
mod evaluate;
mod exact;
mod faithfulness;
mod game;
mod kendall;
mod kernel_shap;
mod leave_one_out;
mod lime;
mod limits;
mod linear;
#[cfg(feature = "model")]
mod local;
mod masked;
mod masking;
mod meaning;
mod method;
mod owen;
mod parts;
mod permutation;
mod plan;
mod ranking;
mod score;
mod split;
mod table;
pub mod trace;
mod tree;

pub use attribution::{Attribution, PartValue};
pub use coalition::Coalition;
pub use cost::Spent;
pub use error::ExplainError;
pub use exact::Shapley;
pub use faithfulness::{Better, Faithfulness, Measure};
pub use game::{Game, Progress};
pub use kernel_shap::{KernelShap, WeightedMask};
pub use leave_one_out::LeaveOneOut;
pub use lime::{Lime, LimeFit};
pub use limits::{MAX_MASK_BYTES, MAX_MASKS};
#[cfg(feature = "model")]
pub use local::TokenGame;
pub use masked::Masked;
pub use masking::Masking;
pub use meaning::Meaning;
pub use method::{Coverage, Fit, Method, Solution};
pub use owen::Owen;
pub use parts::{Part, Parts};
pub use permutation::Permutation;
pub use plan::Plan;
pub use score::{IntoScore, Scored};
pub use tree::MergeTree;

macro_rules! short_ways {
    ($($(#[$doc:meta])* $name:ident $method:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        ///
        /// Those of [`Game::explain`].
        pub fn $name<S: IntoScore>(
            parts: &Parts,
            score: impl Fn(&Masked<'_>) -> S + Send + Sync,
        ) -> Result<Attribution, ExplainError> {
            Game::new(parts, score).explain(&$method)
        }
    )*};
}

short_ways! {
    /// Exact [`Shapley`] values: 2^parts calls, for at most 16 parts.
    shapley Shapley;
    /// [`KernelShap`] values: at most 2 parts + 2048 calls.
    kernel_shap KernelShap::default();
    /// [`Owen`] values over the tree of the text: at most 500 calls.
    owen Owen::default();
    /// Shapley values by 10 pairs of random orders ([`Permutation`]): at most 20 (parts - 1) calls.
    permutation Permutation::default();
    /// The coefficients of [`Lime`]: at most 5000 calls.
    lime Lime::default();
    /// [`LeaveOneOut`]: a call a part.
    leave_one_out LeaveOneOut;
}
