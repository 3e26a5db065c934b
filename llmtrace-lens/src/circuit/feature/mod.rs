//! What features are: where a text makes them active, and what they make likelier.

mod card;
mod effects;
mod histogram;
mod passages;
mod study;
mod tally;
mod windows;

pub(crate) use effects::{lengths, linear_part};

pub use card::{Context, FeatureCard, TokenEffect};
pub use histogram::Histogram;
pub use study::{Chosen, FeatureStudy};
