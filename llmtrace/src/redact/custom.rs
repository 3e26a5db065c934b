//! Rules of the user's.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use regex::Regex;
use thiserror::Error;

use super::finding::{Findings, is_name, marker};

/// Why a rule cannot be used.
///
/// ```
/// use llmtrace::Redactor;
///
/// let error = Redactor::none().rule("order", r"ORD-(\d+").unwrap_err();
/// assert!(error.to_string().starts_with("redaction rule `order`: "), "{error}");
/// assert_eq!(format!("{error:?}"), error.to_string(), "a `main` that returns it shows the same");
/// ```
#[derive(Clone, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleError {
    /// The name cannot stand in a marker.
    #[error("redaction rule `{name}`: a name has letters, digits, `-`, `_` and `.` only, and at least one")]
    Name {
        /// The name.
        name: String,
    },
    /// The regular expression cannot be read, or is too large.
    #[error("redaction rule `{name}`: {reason}")]
    Pattern {
        /// The rule's name.
        name: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// The regular expression matches the empty text.
    #[error("redaction rule `{name}`: it matches the empty text; ask for at least one character")]
    Empty {
        /// The rule's name.
        name: String,
    },
}

impl fmt::Debug for RuleError {
    /// The message: it is what a `main` that returns the error shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A regular expression with a name.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    name: String,
    regex: Regex,
}

impl Pattern {
    pub(super) fn new(name: &str, pattern: &str) -> Result<Self, RuleError> {
        let name = name.to_owned();
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(RuleError::Name { name });
        }
        match Regex::new(pattern) {
            Ok(regex) if regex.is_match("") => Err(RuleError::Empty { name }),
            Ok(regex) => Ok(Self { name, regex }),
            Err(error) => Err(RuleError::Pattern { name, reason: error.to_string() }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn find<'r>(&'r self, text: &str, findings: &mut Findings<'r>) {
        if self.regex.captures_len() == 1 {
            for found in self.regex.find_iter(text) {
                findings.add(found.start(), found.end(), &self.name);
            }
            return;
        }
        for captures in self.regex.captures_iter(text) {
            let mut groups = captures.iter().flatten();
            let whole = groups.next();
            if let Some(found) = groups.next().or(whole) {
                findings.add(found.start(), found.end(), &self.name);
            }
        }
    }
}

/// An expression that the whole of a text is to match.
pub(super) fn whole(pattern: &str) -> Result<Regex, RuleError> {
    Regex::new(&format!(r"\A(?:{pattern})\z"))
        .map_err(|error| RuleError::Pattern { name: "allow".to_owned(), reason: error.to_string() })
}

type MaskText = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A closure with a name.
#[derive(Clone)]
pub(super) struct Mask {
    name: Arc<str>,
    mask: Arc<MaskText>,
}

impl Mask {
    pub(super) fn new<F>(name: &str, mask: F) -> Self
    where
        F: Fn(&str) -> Option<String> + Send + Sync + 'static,
    {
        let name: String = name.chars().filter(|char| u8::try_from(*char).is_ok_and(is_name)).collect();
        Self { name: if name.is_empty() { "mask".into() } else { name.into() }, mask: Arc::new(mask) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The text that is to stand in the place of `text`.
    pub(super) fn apply(&self, text: &str) -> Option<String> {
        match panic::catch_unwind(AssertUnwindSafe(|| (self.mask)(text))) {
            Ok(masked) => masked.filter(|masked| masked != text),
            Err(_) => Some(marker(&self.name)),
        }
    }
}
