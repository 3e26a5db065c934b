//! Why an explanation failed.

use std::ops::Range;

/// Why an explanation failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The prompt has no parts.
    #[error("the prompt has no parts to explain")]
    NoParts,
    /// The range of a named part is not one of the prompt.
    #[error("part {label:?}: bytes {}..{} are not in the prompt, cut a character, or meet another part", .range.start, .range.end)]
    Range {
        /// The part.
        label: String,
        /// Its range, in bytes.
        range: Range<usize>,
    },
    /// The method would need too many calls for so many parts.
    #[error(
        "{method} takes at most {limit} parts, and the prompt has {parts}: take sentences or segments, or another method"
    )]
    TooManyParts {
        /// The method.
        method: &'static str,
        /// How many parts there are.
        parts: usize,
        /// How many it takes.
        limit: usize,
    },
    /// More samples are asked for than the method takes of this prompt. Nothing was run.
    #[error("{method} of this prompt takes at most {limit} {what}, not {asked}")]
    TooManySamples {
        /// The method.
        method: &'static str,
        /// What is counted: samples, pairs of orders, steps, random attributions.
        what: &'static str,
        /// How many are asked for.
        asked: usize,
        /// How many it takes.
        limit: usize,
    },
    /// More calls are planned than may be made. None was made.
    #[error("{method} may need {planned} calls, and {left} of the budget are left")]
    Budget {
        /// The method.
        method: String,
        /// How many calls it may need.
        planned: u64,
        /// How many may still be made.
        left: u64,
    },
    /// The score function failed. What was scored before is remembered: asking again goes on from there.
    #[error("the score function failed with the parts [{}] kept: {message}", .kept.join(", "))]
    Score {
        /// The labels of the kept parts.
        kept: Vec<String>,
        /// What the function said.
        message: String,
    },
    /// The score function gave a number that is not finite.
    #[error("the score is {value} with the parts [{}] kept; scores must be finite", .kept.join(", "))]
    NotFinite {
        /// The labels of the kept parts.
        kept: Vec<String>,
        /// The score.
        value: f64,
    },
    /// The masks that were drawn do not tell all parts apart.
    #[error("{samples} masks do not tell {parts} parts apart: take more samples")]
    TooFewSamples {
        /// How many masks there are.
        samples: usize,
        /// How many parts there are.
        parts: usize,
    },
    /// What was given has another number of parts than the prompt.
    #[error("{what} has {found} parts, and the prompt has {expected}")]
    Mismatch {
        /// What was given.
        what: &'static str,
        /// How many parts it has.
        found: usize,
        /// How many the prompt has.
        expected: usize,
    },
    /// The local model cannot be run on the prompt.
    #[error("the model cannot be run: {message}")]
    Model {
        /// What the run said.
        message: String,
    },
    /// A merge tree that does not join all parts into one, two at a time.
    #[error("the merge tree is none: merge {merge} joins what does not exist yet or was joined before")]
    Tree {
        /// Which merge, from 0.
        merge: usize,
    },
}
