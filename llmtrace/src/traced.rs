//! The wrappers around a traced body: one future, one closure.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tracing::Span;

use crate::log::Entry;
use crate::span;

pin_project! {
    /// A future inside its span: entered for each poll, and while the future is dropped.
    #[must_use = "futures do nothing unless polled"]
    pub struct Traced<F, P> {
        #[pin]
        inner: Option<F>,
        span: Span,
        // Taken when the span's end is recorded, or handed on with the return value.
        finish: Option<P>,
    }

    impl<F, P> PinnedDrop for Traced<F, P> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let _entered = this.span.enter();
                this.inner.set(None);
            }
            if this.finish.is_some() {
                span::end(this.span, |recorder| recorder.push(Entry::Cancelled));
            }
        }
    }
}

/// Runs `future` inside `span`; `finish` gets the span and what came out, and ends the span or hands it on.
pub fn traced<F, P, R>(span: Span, future: F, finish: P) -> Traced<F, P>
where
    F: Future,
    P: FnOnce(Span, F::Output) -> R,
{
    Traced { inner: Some(future), span, finish: Some(finish) }
}

impl<F, P, R> Future for Traced<F, P>
where
    F: Future,
    P: FnOnce(Span, F::Output) -> R,
{
    type Output = R;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let mut this = self.project();
        let polled = {
            let _entered = this.span.enter();
            let Some(inner) = this.inner.as_mut().as_pin_mut() else {
                return Poll::Pending;
            };
            let polled = catch_unwind(AssertUnwindSafe(|| inner.poll(context)));
            if matches!(polled, Ok(Poll::Ready(_))) {
                this.inner.set(None);
            }
            polled
        };
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(returned)) => match this.finish.take() {
                Some(finish) => Poll::Ready(finish(mem::replace(this.span, Span::none()), returned)),
                None => Poll::Pending,
            },
            Err(panic) => {
                if this.finish.take().is_some() {
                    end_with_panic(this.span, &*panic);
                }
                resume_unwind(panic)
            }
        }
    }
}

impl<F, P> fmt::Debug for Traced<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traced").field("span", &self.span).finish_non_exhaustive()
    }
}

/// Runs `body` inside `span`; `finish` gets the span and what came out, and ends the span or hands it on.
pub fn call<R, O>(span: Span, body: impl FnOnce() -> R, finish: impl FnOnce(Span, R) -> O) -> O {
    match span.in_scope(|| catch_unwind(AssertUnwindSafe(body))) {
        Ok(returned) => finish(span, returned),
        Err(panic) => {
            end_with_panic(&span, &*panic);
            resume_unwind(panic)
        }
    }
}

/// [`call`] for a body that never returns.
pub fn call_forever(span: Span, body: impl FnOnce() -> Infallible) -> ! {
    match call(span, body, |_, never| never) {}
}

/// Ends the span with what a panic says.
pub(crate) fn end_with_panic(span: &Span, panic: &(dyn Any + Send)) {
    let text = panic.downcast_ref::<&str>().copied();
    let message = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("");
    span::end(span, |recorder| {
        recorder.error("panic", message);
        recorder.push(Entry::Done);
    });
}
