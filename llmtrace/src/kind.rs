//! What a span stands for.

use std::fmt;
use std::str::FromStr;

/// What a span stands for.
///
/// `OpenTelemetry` says it with `gen_ai.operation.name`, Langfuse with `langfuse.observation.type`,
/// `OpenInference` with `openinference.span.kind`. It is not `OpenTelemetry`'s span kind, which is `CLIENT`
/// or `INTERNAL`.
///
/// ```
/// use llmtrace::ObservationKind;
/// assert_eq!("tool".parse(), Ok(ObservationKind::Tool));
/// assert_eq!(ObservationKind::Generation.as_str(), "generation");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ObservationKind {
    /// One model call that answers with text, tool calls or media.
    Generation,
    /// One model call that answers with vectors.
    Embedding,
    /// A loop in which a model decides what to do next.
    Agent,
    /// One run of a tool.
    Tool,
    /// A fixed sequence of steps.
    Workflow,
    /// A search for documents.
    Retriever,
    /// A reordering of documents.
    Reranker,
    /// A judgement of an output.
    Evaluator,
    /// A check that may stop an input or an output.
    Guardrail,
    /// Anything else.
    #[default]
    Span,
}

/// The text names no [`ObservationKind`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind {found:?}: expected one of {}", names().collect::<Vec<_>>().join(", "))]
pub struct ParseKindError {
    found: String,
}

const NAMES: [(ObservationKind, &str); 10] = [
    (ObservationKind::Generation, "generation"),
    (ObservationKind::Embedding, "embedding"),
    (ObservationKind::Agent, "agent"),
    (ObservationKind::Tool, "tool"),
    (ObservationKind::Workflow, "workflow"),
    (ObservationKind::Retriever, "retriever"),
    (ObservationKind::Reranker, "reranker"),
    (ObservationKind::Evaluator, "evaluator"),
    (ObservationKind::Guardrail, "guardrail"),
    (ObservationKind::Span, "span"),
];

fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(_, name)| *name)
}

impl ObservationKind {
    /// The lower-case name, as `#[llm_trace(kind = "...")]` takes it.
    pub fn as_str(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// The `gen_ai.operation.name` of a span of this kind; `None` where the conventions have no name for it.
    pub fn operation_name(self) -> Option<&'static str> {
        match self {
            Self::Generation => Some("chat"),
            Self::Embedding => Some("embeddings"),
            Self::Agent => Some("invoke_agent"),
            Self::Tool => Some("execute_tool"),
            Self::Workflow => Some("invoke_workflow"),
            Self::Retriever => Some("retrieval"),
            Self::Reranker | Self::Evaluator | Self::Guardrail | Self::Span => None,
        }
    }

    /// The kind that a `gen_ai.operation.name` stands for.
    pub fn from_operation_name(operation: &str) -> Option<Self> {
        Some(match operation {
            "chat" | "generate_content" | "text_completion" | "completion" | "generate" => Self::Generation,
            "embeddings" | "embedding" => Self::Embedding,
            "invoke_agent" | "create_agent" => Self::Agent,
            "execute_tool" => Self::Tool,
            "invoke_workflow" => Self::Workflow,
            "retrieval" => Self::Retriever,
            "rerank" => Self::Reranker,
            _ => return None,
        })
    }

    /// The kind that a span's attributes tell: the one it states, else that of its operation, else what it names.
    /// `None` where they tell none.
    pub(crate) fn told<'a>(
        stated: Option<&'a str>,
        operation: Option<&'a str>,
        has_tool: bool,
        has_model: bool,
        has_agent: bool,
    ) -> Option<Self> {
        let stated = stated.and_then(|kind| kind.parse().ok());
        stated.or_else(|| Self::from_operation_name(operation?)).or(match (has_tool, has_model, has_agent) {
            (true, _, _) => Some(Self::Tool),
            (_, true, _) => Some(Self::Generation),
            (_, _, true) => Some(Self::Agent),
            _ => None,
        })
    }

    /// Whether a span of this kind is itself a call of a model, and so may carry tokens and a cost.
    pub fn is_model_call(self) -> bool {
        matches!(self, Self::Generation | Self::Embedding | Self::Reranker)
    }
}

impl fmt::Display for ObservationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ObservationKind {
    type Err = ParseKindError;

    fn from_str(text: &str) -> Result<Self, ParseKindError> {
        let found = NAMES.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind);
        found.ok_or_else(|| ParseKindError { found: text.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_variants() {
        for (kind, name) in NAMES {
            assert_eq!(kind.as_str(), name);
            assert_eq!(name.parse(), Ok(kind));
        }
        let error = "chain".parse::<ObservationKind>().unwrap_err().to_string();
        assert!(error.contains("\"chain\"") && error.contains("generation"), "{error}");
    }
}
