//! Bias: prompts that differ in one attribute alone, how differently they are scored, and what carries the difference.
//!
//! A [`Probe`] puts each term of each [`Group`] into each template, scores every prompt once, and compares the groups: the
//! difference of means with a confidence interval, a p-value by permutation, and a correction for all that was compared.
//!
//! | to | use |
//! |---|---|
//! | name the groups | [`Attribute`] |
//! | score by any function, a remote model too | [`Probe::run`], [`Probe::run_each`] |
//! | score by what a local model says | `Probe::run_model` (feature `model`) |
//! | say which words of a template the difference needs | [`Probe::words`] |
//! | find the heads and neurons, or features of transcoders, that carry it | `CarrierSearch` (feature `model`) |
//!
//! What is found holds for the templates and terms that were given: the settings say what was counted as one observation
//! ([`Over`]), and a report how small its p-values could have been.

mod attribute;
#[cfg(feature = "model")]
mod carrier_search;
#[cfg(feature = "model")]
mod carriers;
#[cfg(feature = "model")]
mod continuation;
mod correction;
mod distribution;
mod error;
#[cfg(feature = "model")]
mod feature_values;
mod interval;
#[cfg(feature = "model")]
mod largest;
#[cfg(feature = "model")]
mod local;
mod permutation;
mod probe;
mod report;
mod scores;
#[cfg(feature = "model")]
mod swapped;
mod table;
mod words;

pub use attribute::{Attribute, Group, Pairing};
#[cfg(feature = "model")]
pub use carrier_search::CarrierSearch;
#[cfg(feature = "model")]
pub use carriers::{Carrier, Carriers, ModelPart};
#[cfg(feature = "model")]
pub use continuation::Continuation;
pub use correction::Correction;
pub use error::BiasError;
pub use interval::{Bounds, Interval};
pub use probe::{Counterfactual, Over, Probe, Settings};
pub use report::{BiasReport, Comparison};
pub use scores::Scores;
