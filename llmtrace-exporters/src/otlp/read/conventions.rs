//! What attributes of any convention become in the one record.
//!
//! Each convention is a file here with a table of names and one function `read`. A new one is a copy of `mlflow.rs` and a
//! line in [`read`].

mod draft;
mod genai;
mod messages;
mod metadata;
mod ours;
mod parameters;

use llmtrace::{Attributes, ObservationKind};

pub(super) use draft::Draft;

/// Reads what a span's attributes and events say. The first that says a thing wins.
pub(super) fn read(draft: &mut Draft<'_>, _is_ours: bool) {
    genai::read(draft);
    ours::read(draft);
    draft.record.kind = draft.kind.unwrap_or(ObservationKind::Span);
}

/// Reads what conventions say in a resource.
pub(super) fn read_resource(attributes: &mut Attributes) {
    ours::read_resource(attributes);
}
