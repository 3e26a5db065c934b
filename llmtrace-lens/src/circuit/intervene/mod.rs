//! Interventions on features: what a graph foretells, tried out on the model.

mod change;
mod experiment;
mod validation;

pub use change::{Change, Held};
pub use experiment::{Experiment, Outcome};
pub use validation::{Agreement, NodeCheck, Validation};
