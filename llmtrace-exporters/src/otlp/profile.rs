//! Which dialects a span is sent in.
//!
//! Each dialect is a file here with one function `write` that reads as a table. A new one is a copy of `mlflow.rs`, a
//! line in [`Profile::dialects`] and one in [`write`].

mod compat;
mod input_output;
pub(crate) mod langfuse;
mod langsmith;
mod mlflow;
mod object;
pub(super) mod openinference;
mod otel;
pub(super) mod parameters;

use std::fmt;
use std::str::FromStr;

use super::facts::Facts;
use super::pairs::Pairs;
use super::wire::Wire;

/// In which names a span's facts are sent over OTLP: always those of the `OpenTelemetry` GenAI conventions, and with them
/// those of the backends that it is meant for.
///
/// ```
/// use llmtrace_exporters::Profile;
///
/// assert_eq!("phoenix".parse(), Ok(Profile::Phoenix));
/// assert_eq!(Profile::default().as_str(), "standard");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// Langfuse and whatever reads the conventions: adds `langfuse.*`, and older and neighbouring names that clash
    /// with nothing (Laminar, Opik, Weave).
    #[default]
    Standard,
    /// Arize Phoenix and Arize: adds `OpenInference`.
    Phoenix,
    /// MLflow: adds `mlflow.*`, and input and output as MLflow shows them.
    MlFlow,
    /// LangSmith: adds `langsmith.*`.
    LangSmith,
    /// Tempo, Jaeger, `ClickHouse` and other stores of traces: adds nothing.
    OpenTelemetry,
    /// Several of them at once, behind a collector: adds everything. Langfuse then shows the input and the output in
    /// `OpenInference`'s form.
    All,
}

/// The text names no [`Profile`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile {found:?}: expected one of {}", Profile::EVERY.map(Profile::as_str).join(", "))]
pub struct ParseProfileError {
    found: String,
}

/// A set of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    OpenTelemetry,
    Compat,
    Langfuse,
    InputOutput,
    OpenInference,
    MlFlow,
    LangSmith,
}

impl Profile {
    pub(crate) const EVERY: [Self; 6] =
        [Self::Standard, Self::Phoenix, Self::MlFlow, Self::LangSmith, Self::OpenTelemetry, Self::All];

    /// The name: `standard`, `phoenix`, `mlflow`, `langsmith`, `opentelemetry` or `all`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Phoenix => "phoenix",
            Self::MlFlow => "mlflow",
            Self::LangSmith => "langsmith",
            Self::OpenTelemetry => "opentelemetry",
            Self::All => "all",
        }
    }

    /// The dialects, in the order in which they are written. No two of them write the same key.
    pub(super) fn dialects(self) -> &'static [Dialect] {
        use Dialect::{Compat, InputOutput, LangSmith, Langfuse, MlFlow, OpenInference, OpenTelemetry};
        match self {
            Self::Standard => &[OpenTelemetry, Compat, Langfuse],
            Self::Phoenix => &[OpenTelemetry, Compat, InputOutput, OpenInference],
            Self::MlFlow => &[OpenTelemetry, Compat, InputOutput, MlFlow],
            Self::LangSmith => &[OpenTelemetry, Compat, LangSmith],
            Self::OpenTelemetry => &[OpenTelemetry],
            Self::All => &[OpenTelemetry, Compat, Langfuse, InputOutput, OpenInference, MlFlow, LangSmith],
        }
    }

    /// Whether the profile speaks a dialect.
    pub(super) fn speaks(self, dialect: Dialect) -> bool {
        self.dialects().contains(&dialect)
    }
}

/// Writes a span's attributes in some dialects.
pub(super) fn write<'a, W: Wire>(dialects: &[Dialect], span: &Facts<'a>, pairs: &mut Pairs<'a, W>) {
    if span.has_dialect() {
        pairs.keep(&span.span.attributes);
    }
    for dialect in dialects {
        match dialect {
            Dialect::OpenTelemetry => otel::write(span, pairs),
            Dialect::Compat => compat::write(span, pairs),
            Dialect::Langfuse => langfuse::write(span, pairs),
            Dialect::InputOutput => input_output::write(span, pairs),
            Dialect::OpenInference => openinference::write(span, pairs),
            Dialect::MlFlow => mlflow::write(span, pairs),
            Dialect::LangSmith => langsmith::write(span, pairs),
        }
    }
}

/// Writes what a dialect adds to the resource.
pub(super) fn write_resource<W: Wire>(
    profile: Profile,
    resource: &llmtrace::Resource,
    pairs: &mut Pairs<'_, W>,
) {
    if profile.speaks(Dialect::Langfuse) {
        langfuse::write_resource(resource, pairs);
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = ParseProfileError;

    fn from_str(text: &str) -> Result<Self, ParseProfileError> {
        let found = Self::EVERY.into_iter().find(|profile| profile.as_str() == text);
        found.ok_or_else(|| ParseProfileError { found: text.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for profile in Profile::EVERY {
            assert_eq!(profile.as_str().parse(), Ok(profile));
            assert_eq!(profile.to_string(), profile.as_str());
        }
        let error = "arize".parse::<Profile>().unwrap_err().to_string();
        assert!(error.contains("\"arize\"") && error.contains("langsmith"), "{error}");
    }
}
