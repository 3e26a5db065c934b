//! What of a graph matters: influences, the part that is kept, and how much of the answer the graph accounts for.

mod influence;
#[expect(clippy::module_inception, reason = "the file is named after what it does")]
mod prune;
mod scores;

pub use influence::Influence;
pub use prune::{Pruned, Thresholds};
pub use scores::Scores;
