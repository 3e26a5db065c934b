//! What `#[llm_trace]` and the span macros expand to. Not part of the public API.

#![allow(missing_docs, reason = "not part of the public API")]

mod probe;
mod route;
mod seen;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use tracing;
use tracing::Span;

pub use self::probe::{
    InputByDebug, InputByNothing, InputBySerialize, InputByText, LabelsOfClone, LabelsOfEach, LabelsOfMaybe,
    LabelsOfOne, LabelsOfText, LabelsRefused, MaybeTextByDisplay, Place, Probe, Text, TextAsItIs,
    TextByDisplay, TextRefused, with,
};
pub use self::route::{
    Boxed, BoxedFuture, BoxedStream, FollowMany, FollowOne, KindBoxed, KindOpaque, KindOpaqueIn, KindPlain,
    Opaque, OpaqueOption, OpaqueResult, Plain, RouteFuture, RouteNow, Tag,
};
pub use self::seen::{
    FailByBox, FailByDebug, FailByDisplay, FailByError, FailByName, Item, NoError, PeelLayer, PeelNothing,
    Peeled, ReadByDebug, ReadBySerialize, ReadItself, ReadNothing, Seen, Whole,
};
pub use crate::Recorder;
pub use crate::content::is_secret_name;
pub use crate::traced::{Traced, call, call_forever, traced};
pub use crate::{
    __llmtrace_argument as argument, __llmtrace_failure as failure, __llmtrace_finish as finish,
    __llmtrace_follow as follow, __llmtrace_input as input, __llmtrace_labels as labels,
    __llmtrace_observe as observe, __llmtrace_route as route, __llmtrace_text as text, ObservationKind,
    semconv,
};
use crate::{Usage, span};

/// Opens a span; if a field's value panics there is none.
pub fn open(span: impl FnOnce() -> Span) -> Span {
    catch_unwind(AssertUnwindSafe(span)).unwrap_or_else(|_| Span::none())
}

/// Records on the span what is known before the body runs.
pub fn record(span: &Span, write: impl FnOnce(&mut Recorder<'_>)) {
    if !span.is_disabled() {
        span::record(span, write);
    }
}

/// Records who calls and what for.
pub fn session(recorder: &mut Recorder<'_>, session: Option<&str>) {
    if let Some(session) = session {
        recorder.attribute(semconv::CONVERSATION_ID, session);
    }
}

/// Records on whose behalf the call is made.
pub fn user(recorder: &mut Recorder<'_>, user: Option<&str>) {
    if let Some(user) = user {
        recorder.attribute(semconv::USER_ID, user);
    }
}

/// What a `usage` closure may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Usage`",
    note = "`usage = |ret| ...` returns a `Usage` or an `Option<Usage>`"
)]
pub trait MaybeUsage {
    fn usage(self) -> Option<Usage>;
}

impl MaybeUsage for Usage {
    fn usage(self) -> Option<Usage> {
        Some(self)
    }
}

impl MaybeUsage for Option<Usage> {
    fn usage(self) -> Option<Usage> {
        self
    }
}

/// Records token counts, where there are any.
pub fn usage(recorder: &mut Recorder<'_>, usage: impl MaybeUsage) {
    if let Some(usage) = usage.usage() {
        recorder.usage(&usage);
    }
}

/// A value that is made before the body runs and recorded after it.
pub fn early<T>(span: &Span, make: impl FnOnce() -> T) -> Option<T> {
    if span.is_disabled() || span::is_unrecorded(span) {
        return None;
    }
    catch_unwind(AssertUnwindSafe(make)).ok()
}

/// A future of whose output the type is known: what the signature says drives inference, as without the attribute.
pub fn typed_future<T, F: Future<Output = T>>(future: F) -> F {
    future
}
