//! A local model: loading it, running it, hooking into it.

mod builder;
mod checkpoint;
mod config;
mod end_tokens;
mod families;
mod fields;
mod forward;
pub(crate) mod header;
pub(crate) mod json_file;
#[expect(clippy::module_inception, reason = "the file is named after the type it holds")]
mod model;
mod rotary;
mod session;
mod tokenizer;
mod tokens;
mod weights;

pub use builder::ModelBuilder;
#[cfg(feature = "hub")]
pub(crate) use checkpoint::shards;
pub use config::{Activation, Config, MlpKind, NormKind, Positions, Residual, Rotary};
pub use forward::Readout;
pub(crate) use forward::{Forward, Start};
pub use model::Model;
pub use session::Session;
pub(crate) use tokens::Origin;
pub use tokens::TokenLabel;
pub(crate) use weights::{Attention, Block, Linear, Mlp, Norm, Weights};
