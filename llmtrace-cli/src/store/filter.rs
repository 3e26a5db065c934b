//! Which traces are listed, and in which order.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use llmtrace::{ObservationKind, Timestamp, Usd};

use super::row::TraceStatus;

/// Which traces are listed: those that meet every condition that is set.
///
/// `model` to `name` and `kind` are met by any span of the trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TraceFilter {
    /// Words that the trace holds: all of them, `"a phrase"`, or `start*`.
    pub(crate) text: Option<String>,
    /// The model that answered, else the one that was asked for.
    pub(crate) model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) environment: Option<String>,
    /// The name of a span.
    pub(crate) name: Option<String>,
    pub(crate) status: Option<TraceStatus>,
    pub(crate) kind: Option<ObservationKind>,
    pub(crate) min_cost: Option<Usd>,
    pub(crate) max_cost: Option<Usd>,
    pub(crate) min_duration: Option<Duration>,
    pub(crate) max_duration: Option<Duration>,
    /// Of input and output together.
    pub(crate) min_tokens: Option<u64>,
    pub(crate) score: Option<ScoreFilter>,
    /// The trace started then or later.
    pub(crate) since: Option<Timestamp>,
    /// The trace started before then.
    pub(crate) until: Option<Timestamp>,
}

/// A score that a trace has, written `name`, `name>=0.5`, `name<=0.5` or `name=1`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScoreFilter {
    pub(crate) name: String,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// In which order traces are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Sort {
    /// By start, the latest first.
    #[default]
    Newest,
    /// By start, the earliest first.
    Oldest,
    /// By duration, the longest first.
    Slowest,
    /// By cost, the dearest first; those without a cost last.
    Costliest,
    /// By tokens, the most first; those without any last.
    MostTokens,
}

/// Where the next page starts: after this trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    /// What the list is sorted by.
    pub(super) key: i64,
    /// The number of the trace.
    pub(super) id: i64,
}

/// A text that is no cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParseCursorError;

impl Sort {
    /// All orders.
    pub(crate) const ALL: [Self; 5] =
        [Self::Newest, Self::Oldest, Self::Slowest, Self::Costliest, Self::MostTokens];

    /// The name in URLs and options.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Slowest => "slowest",
            Self::Costliest => "costliest",
            Self::MostTokens => "tokens",
        }
    }

    /// The order of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == name)
    }
}

impl FromStr for ScoreFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a score such as helpful or helpful>=0.5, found {text:?}");
        let (name, rest) = text.split_at(text.find(['<', '>', '=']).unwrap_or(text.len()));
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err(wrong());
        }
        let number = |text: &str| match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(wrong()),
        };
        let (min, max) = if rest.is_empty() {
            (None, None)
        } else if let Some(rest) = rest.strip_prefix(">=") {
            (number(rest)?, None)
        } else if let Some(rest) = rest.strip_prefix("<=") {
            (None, number(rest)?)
        } else if let Some(rest) = rest.strip_prefix('=') {
            let value = number(rest)?;
            (value, value)
        } else {
            return Err(wrong());
        };
        Ok(Self { name, min, max })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.key, self.id)
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let (key, id) = text.split_once('.').ok_or(ParseCursorError)?;
        let number = |text: &str| text.parse().map_err(|_| ParseCursorError);
        Ok(Self { key: number(key)?, id: number(id)? })
    }
}

impl fmt::Display for ParseCursorError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not the end of a page: take the `after` of an answer as it is")
    }
}

impl std::error::Error for ParseCursorError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_read_with_their_bounds() {
        let check = |text: &str, expected: Option<(&str, Option<f64>, Option<f64>)>| {
            let expected = expected.map(|(name, min, max)| ScoreFilter { name: name.to_owned(), min, max });
            assert_eq!(text.parse().ok(), expected, "{text}");
        };
        check("good", Some(("good", None, None)));
        check("good>=0.5", Some(("good", Some(0.5), None)));
        check("good <= -1", Some(("good", None, Some(-1.0))));
        check("good=1", Some(("good", Some(1.0), Some(1.0))));
        for wrong in ["", ">=1", "good>", "good>=x", "good>1", "good=inf"] {
            check(wrong, None);
        }
    }

    #[test]
    fn the_end_of_a_page_reads_back() {
        let cursor = Cursor { key: -7, id: i64::MAX };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "1", "1.", ".1", "a.1", "1.2.3", "9223372036854775808.1"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(ParseCursorError), "{wrong}");
        }
    }
}
