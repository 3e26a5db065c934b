//! How well attribution methods find what is known to be there.
//!
//! Models built by hand have circuits of which every part is known; the toys come with facts that they were trained on. A [`Suite`] asks a
//! method to score the parts of prompts on them (tokens, attention heads, neurons, edges), and measures how well the truth is found, how
//! faithful scores of tokens are to the model, whether they add up, and how long it took. Methods of this crate are [`BuiltIn`];
//! scores of any other one are a [`Submission`], in the order of the tasks' parts.
//!
//! ```
//! use llmtrace_lens::benchmark::{BuiltIn, Suite};
//!
//! let suite = Suite::standard()?;
//! let row = suite.run(BuiltIn::AttributionGraph)?.rows.remove(0);
//! assert_eq!(row.average_precision, Some(1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod built_in;
mod error;
mod measure;
mod part;
mod report;
mod submission;
mod suite;
mod task;

pub use built_in::BuiltIn;
pub use error::BenchmarkError;
pub use part::{Level, Part, Place};
pub use report::{Report, Row};
pub use submission::Submission;
pub use suite::Suite;
pub use task::{Answer, Task};
