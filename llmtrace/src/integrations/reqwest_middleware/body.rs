//! An answer's body that is recorded as it passes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use reqwest::Body;

use super::text;
use crate::semconv;
use crate::wire::WireCall;

/// An answer's body that is recorded as it passes: polled when it is polled, with the frames that it gives.
pub(super) struct TracedBody {
    inner: Body,
    wire: WireCall,
    /// Whether the bytes are recorded; else only their number is.
    reads: bool,
    bytes: u64,
}

impl TracedBody {
    pub(super) fn new(inner: Body, wire: WireCall, reads: bool) -> Self {
        Self { inner, wire, reads, bytes: 0 }
    }

    fn pass(&mut self, frame: &Frame<Bytes>) {
        if let Some(data) = frame.data_ref() {
            self.bytes = self.bytes.saturating_add(data.len() as u64);
            if self.reads {
                self.wire.received(data);
            }
        }
    }

    fn end(&mut self) {
        if !self.reads {
            self.wire.known(semconv::HTTP_RESPONSE_BODY_SIZE, self.bytes);
        }
        self.wire.done();
    }
}

impl http_body::Body for TracedBody {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                self.pass(frame);
                if self.inner.is_end_stream() {
                    self.end();
                }
            }
            Poll::Ready(Some(Err(error))) => {
                let kind = if error.is_timeout() { "timeout" } else { "body" };
                self.wire.failed(kind, &text::of_error(error));
                self.wire.done();
            }
            Poll::Ready(None) => self.end(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl fmt::Debug for TracedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracedBody").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
