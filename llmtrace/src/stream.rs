//! Streams inside a span.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tracing::Span;

use crate::log::Entry;
use crate::traced::end_with_panic;
use crate::{LlmChunk, Recorder, span};

pin_project! {
    /// A stream inside its span; made by [`traced_stream`] and [`traced_stream_with`].
    ///
    /// The span is entered for each poll and while the stream is dropped. It ends when the stream ends or
    /// panics, or is dropped before its end. Items pass untouched.
    #[must_use = "streams do nothing unless polled"]
    pub struct TracedStream<S: Stream, O = fn(&<S as Stream>::Item, &mut Recorder<'_>)> {
        #[pin]
        inner: Option<S>,
        span: Span,
        read: O,
        is_open: bool,
    }

    impl<S: Stream, O> PinnedDrop for TracedStream<S, O> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            {
                let _entered = this.span.enter();
                this.inner.set(None);
            }
            if *this.is_open {
                span::end(this.span, |recorder| recorder.push(Entry::Cancelled));
            }
        }
    }
}

/// Runs `stream` inside `span` and records each item as a chunk of the answer.
///
/// ```
/// # fn open() -> impl futures_core::Stream<Item = String> { Empty }
/// # struct Empty;
/// # impl futures_core::Stream for Empty {
/// #     type Item = String;
/// #     fn poll_next(
/// #         self: std::pin::Pin<&mut Self>,
/// #         _: &mut std::task::Context<'_>,
/// #     ) -> std::task::Poll<Option<String>> { std::task::Poll::Ready(None) }
/// # }
/// let span = llmtrace::generation!("chat gpt-4o-mini", gen_ai.request.model = "gpt-4o-mini");
/// let deltas = llmtrace::traced_stream(span, open());
/// # drop(deltas);
/// ```
pub fn traced_stream<S>(span: Span, stream: S) -> TracedStream<S>
where
    S: Stream,
    S::Item: LlmChunk,
{
    traced_stream_with(span, stream, <S::Item as LlmChunk>::record)
}

/// Runs `stream` inside `span`; `read` records each item.
///
/// ```
/// # use llmtrace::Recorder;
/// # struct Part { text: String }
/// # fn wrap<S: futures_core::Stream<Item = Part>>(span: tracing::Span, stream: S) {
/// let parts = llmtrace::traced_stream_with(span, stream, |part: &Part, recorder: &mut Recorder<'_>| {
///     recorder.chunk_body(part.text.as_bytes());
/// });
/// # drop(parts);
/// # }
/// ```
pub fn traced_stream_with<S, O>(span: Span, stream: S, read: O) -> TracedStream<S, O>
where
    S: Stream,
    O: FnMut(&S::Item, &mut Recorder<'_>),
{
    TracedStream { inner: Some(stream), span, read, is_open: true }
}

impl<S, O> Stream for TracedStream<S, O>
where
    S: Stream,
    O: FnMut(&S::Item, &mut Recorder<'_>),
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(None);
        };
        let polled = this.span.in_scope(|| catch_unwind(AssertUnwindSafe(|| inner.poll_next(context))));
        if *this.is_open {
            match &polled {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(Some(item))) => {
                    span::record(this.span, |recorder| (this.read)(item, recorder));
                }
                Ok(Poll::Ready(None)) => {
                    *this.is_open = false;
                    span::end(this.span, |recorder| recorder.push(Entry::Done));
                    *this.span = Span::none();
                }
                Err(panic) => {
                    *this.is_open = false;
                    end_with_panic(this.span, &**panic);
                    *this.span = Span::none();
                }
            }
        }
        polled.unwrap_or_else(|panic| resume_unwind(panic))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S: Stream, O> fmt::Debug for TracedStream<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracedStream").field("span", &self.span).finish_non_exhaustive()
    }
}
