//! A run of a local model in the trace of the program around it.

mod artifact;
mod detail;
pub mod names;
mod norms;
mod pass;
mod reading;
mod run;
mod tell;

pub(crate) use artifact::ArtifactWriter;
pub use artifact::{Artifact, ArtifactTensor, Artifacts};
pub use detail::Detail;
pub use norms::{MAX_MASSIVE, Massive, ResidualNorms};
pub(crate) use pass::seconds;
pub use pass::{BlockReport, PassReport};
pub use reading::Reading;
pub(crate) use run::RunTrace;
