//! Who wrote a text: which of several local models, as far as can be known.
//!
//! Each candidate reads the text and says how probable it finds every word. A model finds its own words probable, and which
//! words it finds more probable than the others do tells it apart (Li et al. 2023, "Origin Tracing and Detecting of LLMs").
//! A linear classifier, trained on texts whose origin is known, weighs that; its confidence is calibrated on texts that it was
//! not trained on, and a text that is like none of them is of unknown origin.
//!
//! ```
//! use llmtrace_lens::handmade::Author;
//! use llmtrace_lens::origin::{Candidates, OriginClassifier, Training};
//!
//! let [ada, ben] = [Author::new(1), Author::new(2)];
//! let models = [ada.model()?, ben.model()?];
//! let candidates = Candidates::new([("ada", &models[0]), ("ben", &models[1])])?;
//! let mut corpus = Vec::new();
//! for text in 0..30 {
//!     corpus.push(("ada", candidates.read(&ada.text(text, 40))?));
//!     corpus.push(("ben", candidates.read(&ben.text(text, 40))?));
//! }
//! let classifier = OriginClassifier::train(&candidates, &corpus, Training::default())?;
//! let verdict = classifier.judge(&candidates.read(&ben.text(1000, 40))?)?;
//! assert_eq!(verdict.origin.as_deref(), Some("ben"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calibration;
mod candidates;
mod classifier;
mod error;
mod evidence;
mod logistic;
mod training;
mod typicality;
mod verdict;
mod words;

pub use candidates::{Candidate, Candidates};
pub use classifier::OriginClassifier;
pub use error::OriginError;
pub use evidence::Evidence;
pub use training::{Training, TrainingReport};
pub use verdict::{Verdict, Why};
