//! Writing to an open span.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use tracing::Span;

use crate::layer::{LlmSubscriber, SpanCapture};
use crate::log::Entry;
use crate::propagate::SpanContext;
use crate::{AttributeValue, CostValue, Message, Recorder, SpanId, TraceId, Usage, semconv};

/// Lets `write` record on the span; nothing happens on a span that no [`LlmLayer`](crate::LlmLayer) sees. A panic
/// in `write` ends there.
pub(crate) fn record(span: &Span, write: impl FnOnce(&mut Recorder<'_>)) {
    with_layer(span, |layer, key| layer.0.record(key, false, write));
}

/// [`record`] for what runs no code of the user's once it is prepared: it is written under the span's lock.
fn record_plain<T>(span: &Span, prepare: impl FnOnce() -> T, write: impl FnOnce(&mut Recorder<'_>, T)) {
    with_layer(span, |layer, key| {
        if let Ok(prepared) = catch_unwind(AssertUnwindSafe(prepare)) {
            layer.0.record_plain(key, |recorder| write(recorder, prepared));
        }
    });
}

/// [`record`], and the span counts as ended now, however long its handle lives on.
pub(crate) fn end(span: &Span, write: impl FnOnce(&mut Recorder<'_>)) {
    with_layer(span, |layer, key| layer.0.record(key, true, write));
}

/// Whether nothing is kept of what is said of the span, because its trace is not sampled.
pub(crate) fn is_unrecorded(span: &Span) -> bool {
    with_layer(span, |layer, key| !layer.0.is_recorded(key)).unwrap_or(false)
}

pub(crate) fn with_layer<R>(span: &Span, use_it: impl FnOnce(&SpanCapture, u64) -> R) -> Option<R> {
    span.with_subscriber(|(id, dispatch)| {
        let layer = match dispatch.downcast_ref::<LlmSubscriber>() {
            Some(subscriber) => &subscriber.capture,
            None => dispatch.downcast_ref::<SpanCapture>()?,
        };
        Some(use_it(layer, id.into_u64()))
    })?
}

/// What a program says of a span while it is open. On a span that no [`LlmLayer`](crate::LlmLayer) sees, each
/// method does nothing; none of them fails, panics or waits. On a span that is not recorded, because its trace is not
/// sampled, only the ids are answered ([`Sampler`](crate::Sampler)).
///
/// ```
/// use llmtrace::{SpanExt as _, Usage};
///
/// let span = tracing::info_span!("chat", gen_ai.request.model = "my-model");
/// span.set_session("session-1");
/// span.record_usage(Usage::new(120, 30));
/// span.set_attribute("retry", 1);
/// ```
pub trait SpanExt {
    /// Records a provider's request: a value that serialises to the JSON of any known API, or that JSON as text.
    /// Model, parameters, messages and tools are read from it.
    fn record_request<T: Serialize + ?Sized>(&self, request: &T);

    /// Records a provider's response: a value that serialises to the JSON of any known API, or that JSON or a whole
    /// stream as text. Id, model, messages, finish reasons and token counts are read from it.
    fn record_response<T: Serialize + ?Sized>(&self, response: &T);

    /// Records the headers of the answer: the request's id, rate limits, how long to wait, and what some providers state
    /// nowhere else. Any headers whose names are texts and whose values are bytes will do, such as those of `reqwest` and
    /// `http`. Headers that nothing is known of are passed over, and so are all that hold a secret.
    ///
    /// ```
    /// use llmtrace::SpanExt as _;
    ///
    /// # let span = tracing::Span::none();
    /// span.record_response_headers([("x-request-id", "req_1"), ("retry-after", "20")]);
    /// ```
    fn record_response_headers<N, V>(&self, headers: impl IntoIterator<Item = (N, V)>)
    where
        N: AsRef<str>,
        V: AsRef<[u8]>;

    /// Records the HTTP status of the answer. From 400 on, a model call ends with the status `error`, also where its body
    /// cannot be read.
    fn record_http_status(&self, status: u16);

    /// Records the messages that went in.
    fn record_input(&self, messages: &[Message]);

    /// Records the messages that came out.
    fn record_output(&self, messages: &[Message]);

    /// Records token counts; those that are `None` are left as they are.
    fn record_usage(&self, usage: Usage);

    /// Records a cost that the provider stated, in US dollars. A float that is not finite is not recorded.
    fn record_cost(&self, cost: impl CostValue);

    /// Records that the first content of the answer has arrived.
    fn record_first_chunk(&self);

    /// Says which conversation the span belongs to.
    fn set_session(&self, session: impl AsRef<str>);

    /// Says for which end user the span works.
    fn set_user(&self, user: impl AsRef<str>);

    /// Adds a label.
    fn add_tag(&self, tag: impl AsRef<str>);

    /// Sets any attribute, declared or not. The last value written to a key wins.
    fn set_attribute<'v>(&self, key: impl AsRef<str>, value: impl Into<AttributeValue<'v>>);

    /// Records an error: the span ends with the status `error`.
    fn record_error<E: Display + ?Sized>(&self, error: &E);

    /// Records a judgement on the span; one that is not finite is not recorded.
    fn score(&self, name: impl AsRef<str>, value: f64);

    /// Makes the span the child of a span in another process, sampled if that one is. Call it before children are
    /// opened, and read the context ([`propagate::extract`](crate::propagate::extract)) before you open the span.
    fn set_parent_context(&self, parent: &SpanContext);

    /// Relates the span to another one that is not its parent.
    fn add_link(&self, other: &SpanContext);

    /// The trace; `None` on a span that no [`LlmLayer`](crate::LlmLayer) sees. Nothing is allocated.
    fn trace_id(&self) -> Option<TraceId>;

    /// The span's id; `None` on a span that no [`LlmLayer`](crate::LlmLayer) sees. Spans that are not recorded share
    /// that of the first of their trace.
    fn span_id(&self) -> Option<SpanId>;
}

impl SpanExt for Span {
    fn record_request<T: Serialize + ?Sized>(&self, request: &T) {
        record(self, |recorder| recorder.request(request));
    }

    fn record_response<T: Serialize + ?Sized>(&self, response: &T) {
        record(self, |recorder| recorder.json(response));
    }

    fn record_response_headers<N, V>(&self, headers: impl IntoIterator<Item = (N, V)>)
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        record(self, |recorder| recorder.response_headers(headers));
    }

    fn record_http_status(&self, status: u16) {
        let write = |recorder: &mut Recorder<'_>, status: u16| recorder.http_status(status);
        record_plain(self, || status, write);
    }

    fn record_input(&self, messages: &[Message]) {
        record(self, |recorder| recorder.input(messages));
    }

    fn record_output(&self, messages: &[Message]) {
        record(self, |recorder| recorder.output(messages));
    }

    fn record_usage(&self, usage: Usage) {
        record_plain(self, || usage, |recorder, usage| recorder.usage(&usage));
    }

    fn record_cost(&self, cost: impl CostValue) {
        record_plain(
            self,
            || cost.to_usd(),
            |recorder, cost| {
                if let Some(cost) = cost {
                    recorder.cost(cost);
                }
            },
        );
    }

    fn record_first_chunk(&self) {
        record_plain(self, || (), |recorder, ()| recorder.first_chunk());
    }

    fn set_session(&self, session: impl AsRef<str>) {
        let write = |recorder: &mut Recorder<'_>, id: &str| recorder.attribute(semconv::CONVERSATION_ID, id);
        record_plain(self, || session.as_ref(), write);
    }

    fn set_user(&self, user: impl AsRef<str>) {
        let write = |recorder: &mut Recorder<'_>, id: &str| recorder.attribute(semconv::USER_ID, id);
        record_plain(self, || user.as_ref(), write);
    }

    fn add_tag(&self, tag: impl AsRef<str>) {
        record_plain(
            self,
            || tag.as_ref(),
            |recorder, tag| {
                recorder.label(tag);
            },
        );
    }

    fn set_attribute<'v>(&self, key: impl AsRef<str>, value: impl Into<AttributeValue<'v>>) {
        let prepare = || (key.as_ref(), value.into());
        record_plain(self, prepare, |recorder, (key, value): (&str, AttributeValue<'v>)| {
            recorder.attribute(key, value);
        });
    }

    fn record_error<E: Display + ?Sized>(&self, error: &E) {
        record(self, |recorder| recorder.failure("", &error));
    }

    fn score(&self, name: impl AsRef<str>, value: f64) {
        if value.is_finite() {
            record_plain(self, || name.as_ref(), |recorder, name| recorder.score(name, value));
        }
    }

    fn set_parent_context(&self, parent: &SpanContext) {
        with_layer(self, |layer, key| layer.0.set_parent(key, parent));
    }

    fn add_link(&self, other: &SpanContext) {
        let link = Entry::Link(other.trace_id(), other.span_id());
        record_plain(self, || link, |recorder, link| recorder.push(link));
    }

    fn trace_id(&self) -> Option<TraceId> {
        with_layer(self, |layer, key| layer.0.ids(key))?.map(|(trace, _)| trace)
    }

    fn span_id(&self) -> Option<SpanId> {
        with_layer(self, |layer, key| layer.0.ids(key))?.map(|(_, span)| span)
    }
}
