//! Interventions on features: what a graph foretells, tried out on the model.

mod change;
mod changed;
mod encoders;
mod exchange;
mod experiment;
mod run;
mod validation;

pub use change::{Change, Held};
pub use experiment::{Experiment, Outcome};
pub use validation::{Agreement, NodeCheck, TargetCheck, Validation};
