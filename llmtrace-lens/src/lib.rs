//! LLM tracing inside a local model: run it, read and change every activation, explain what it said.

#[cfg(feature = "model")]
pub mod analysis;
#[cfg(feature = "model")]
mod error;
pub mod explain;
#[cfg(feature = "model")]
pub mod generate;
#[cfg(feature = "model")]
mod gradient;
#[cfg(feature = "model")]
pub mod handmade;
#[cfg(feature = "model")]
mod hooks;
#[cfg(feature = "model")]
mod model;
#[cfg(feature = "model")]
mod ops;
#[cfg(feature = "model")]
pub mod patching;
pub mod report;
#[cfg(feature = "model")]
pub mod trace;

#[cfg(feature = "model")]
pub use error::{LoadError, RunError};
#[cfg(feature = "model")]
pub use gradient::{AttributionPatching, Baseline, Gradient, Input, Integrated, IntegratedGradients, Target};
#[cfg(feature = "model")]
pub use hooks::{ActivationCache, Edges, Filter, HookPoint, Hooks, Mean, Moment, Site, Slice};
#[cfg(feature = "model")]
pub use model::{
    Activation, Config, MlpKind, Model, ModelBuilder, NormKind, Positions, Readout, Residual, Rotary,
    Session, TokenLabel,
};

/// The snippets of the guide are compiled as tests.
#[cfg(all(doctest, feature = "model"))]
#[doc = include_str!("../../docs/lens.md")]
mod guide {}
