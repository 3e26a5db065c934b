//! Transcoders: sparse features that stand for the MLPs of a model.

mod activation;
mod archive;
mod files;
mod reader;
mod sites;
mod transcoders;

pub use activation::FeatureActivation;
pub(crate) use reader::{FeatureReader, FeatureReaders};
pub use sites::{FeatureInput, FeatureOutput};
pub(crate) use transcoders::Encoder;
pub use transcoders::{TranscoderKind, Transcoders};
