//! What attributes of any convention become in the one record.
//!
//! Each convention is a file here with a table of names and one function `read`. A new one is a copy of `langsmith.rs` and
//! a line in [`read`]. What it takes from several attributes at once, it takes as a tree (`tree.rs`); what a span took and
//! gave is read in one place (`said.rs`), and so are tokens, costs and parameters.

mod cost;
mod draft;
mod events;
mod genai;
mod langfuse;
mod langsmith;
mod logfire;
mod messages;
mod metadata;
mod mlflow;
mod openinference;
mod ours;
mod parameters;
mod provider;
mod said;
mod traceloop;
mod tree;
mod usage;
mod vercel;

use llmtrace::{Attributes, ObservationKind, semconv};

pub(super) use draft::Draft;

/// Reads what a span's attributes and events say. The first that says a thing wins.
pub(super) fn read(draft: &mut Draft<'_>, is_ours: bool) {
    genai::read(draft);
    if !is_ours {
        events::read(draft);
        openinference::read(draft);
        langfuse::read(draft);
        vercel::read(draft);
        traceloop::read(draft);
        mlflow::read(draft);
        langsmith::read(draft);
        logfire::read(draft);
        told(draft);
        genai::reasons(draft);
        usage::settle(draft);
        cost::settle(draft);
    }
    ours::read(draft);
    draft.record.kind = draft.kind.unwrap_or(ObservationKind::Span);
}

/// The kind where nothing states it: of what the span names something.
fn told(draft: &mut Draft<'_>) {
    const NAMED: [(&str, ObservationKind); 5] = [
        (semconv::TOOL_NAME, ObservationKind::Tool),
        (semconv::REQUEST_MODEL, ObservationKind::Generation),
        (semconv::RESPONSE_MODEL, ObservationKind::Generation),
        (semconv::AGENT_NAME, ObservationKind::Agent),
        (semconv::WORKFLOW_NAME, ObservationKind::Workflow),
    ];
    if draft.kind.is_none() {
        draft.kind = NAMED.iter().find(|(key, _)| draft.known(key).is_some()).map(|(_, kind)| *kind);
    }
    if draft.known_text(semconv::PROVIDER_NAME).is_some() {
        genai::name_provider(draft);
    }
}

/// Reads what conventions say in a resource.
pub(super) fn read_resource(attributes: &mut Attributes) {
    ours::read_resource(attributes);
    for older in ["deployment.environment", "langfuse.environment"] {
        if attributes.get(semconv::DEPLOYMENT_ENVIRONMENT_NAME).is_none()
            && attributes.get_str(older).is_some_and(|name| name != "default")
            && let Some(environment) = attributes.remove(older)
        {
            attributes.set(semconv::DEPLOYMENT_ENVIRONMENT_NAME, environment);
        }
    }
}
