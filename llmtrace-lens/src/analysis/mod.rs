//! Reading a run: what each layer would say, which parts wrote a logit, what heads attend to, how large the stream is.
//!
//! [`Reading`] is the way in: it runs a model on tokens and keeps what the readings below need. All results are plain
//! data that can be serialized; most print as a small table.

mod activation_statistics;
mod attention;
mod attribution;
mod columns;
mod direct;
mod direction;
mod error;
mod induction;
mod lens_query;
mod logit_lens;
mod pictures;
mod reading;
mod residual_norms;
mod stack;

pub use activation_statistics::{ActivationStatistics, LayerActivations};
pub use attention::{AttentionSummary, HeadSummary};
pub use attribution::{Attribution, Part};
pub(crate) use columns::write as write_columns;
pub use direct::DirectAttribution;
pub use direction::Target;
pub use error::ReadError;
pub use induction::{InductionReport, InductionTest};
pub use lens_query::LensQuery;
pub use logit_lens::{Guess, LensCell, LensRow, LogitLens, Tracked};
pub use reading::Reading;
pub(crate) use reading::single;
pub use residual_norms::{MassiveActivation, NormRow, OutlierRule, ResidualNorms};
pub use stack::ResidualStack;
