//! What becomes of a returned value: it is read and the span ends, or it is a future or a stream and the span
//! goes on with it.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use futures_core::Stream;
use tracing::{Id, Span};

use super::seen::{Item, NoError, Seen, Whole};
use crate::log::Entry;
use crate::traced::traced;
use crate::{Recorder, TracedStream, span, traced_stream_with};

/// A type to be asked what it is, without its value.
#[derive(Debug)]
pub struct Tag<T>(PhantomData<fn() -> T>);

impl<T> Tag<T> {
    pub fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

// --- spans that this one follows from ---

pub trait FollowMany<T> {
    fn follow(&self, span: &Span, causes: T);
}

impl<T: IntoIterator<Item: Into<Option<Id>>>> FollowMany<T> for &Tag<T> {
    fn follow(&self, span: &Span, causes: T) {
        for cause in causes {
            span.follows_from(cause);
        }
    }
}

pub trait FollowOne<T> {
    fn follow(&self, span: &Span, cause: T);
}

impl<T: Into<Option<Id>>> FollowOne<T> for Tag<T> {
    fn follow(&self, span: &Span, cause: T) {
        span.follows_from(cause);
    }
}

/// Says from which spans this one follows: one of them or many.
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_follow {
    ($span:expr, $causes:expr) => {{
        use $crate::__private::{FollowMany as _, FollowOne as _};
        let causes = $causes;
        (&&$crate::__private::Tag::of(&causes)).follow($span, causes)
    }};
}

// --- first: is it a future? ---

/// A boxed future, which can be wrapped without a change of its type.
pub trait BoxedFuture<'a>: Sized {
    type Output;
    fn wrap<P>(self, span: Span, finish: P) -> Self
    where
        P: FnOnce(Span, Self::Output) -> Self::Output + Send + Sync + 'a;
}

macro_rules! boxed_futures {
    ($([$($auto:ident)*])*) => {$(
        impl<'a, R: 'a> BoxedFuture<'a> for Pin<Box<dyn Future<Output = R> $(+ $auto)* + 'a>> {
            type Output = R;
            fn wrap<P>(self, span: Span, finish: P) -> Self
            where
                P: FnOnce(Span, R) -> R + Send + Sync + 'a,
            {
                if span.is_disabled() { self } else { Box::pin(traced(span, self, finish)) }
            }
        }
    )*};
}
boxed_futures!([] [Send] [Send Sync]);

pub trait RouteFuture<'a, T: BoxedFuture<'a>> {
    fn run<P>(&self, span: Span, returned: T, finish: P) -> T
    where
        P: FnOnce(Span, T::Output) -> T::Output + Send + Sync + 'a;
}

impl<'a, T: BoxedFuture<'a>> RouteFuture<'a, T> for &Tag<T> {
    fn run<P>(&self, span: Span, returned: T, finish: P) -> T
    where
        P: FnOnce(Span, T::Output) -> T::Output + Send + Sync + 'a,
    {
        returned.wrap(span, finish)
    }
}

pub trait RouteNow<T> {
    fn run<R>(&self, span: Span, returned: T, finish: impl FnOnce(Span, T) -> R) -> R;
}

impl<T> RouteNow<T> for Tag<T> {
    fn run<R>(&self, span: Span, returned: T, finish: impl FnOnce(Span, T) -> R) -> R {
        finish(span, returned)
    }
}

/// Finishes now, or when the returned future is done.
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_route {
    ($span:ident, $returned:ident, $finish:expr) => {{
        use $crate::__private::{RouteFuture as _, RouteNow as _};
        (&&$crate::__private::Tag::of(&$returned)).run($span, $returned, $finish)
    }};
}

// --- then: is it a stream? ---

/// A boxed stream, or a `Result` or an `Option` of one, which can be wrapped without a change of its type.
pub trait BoxedStream<'a>: Sized {
    type Item;
    type Error;
    fn wrap<O>(self, span: Span, read: O, failed: impl FnOnce(&Self::Error, &mut Recorder<'_>)) -> Self
    where
        O: FnMut(&Self::Item, &mut Recorder<'_>) + Send + Sync + 'a;
}

macro_rules! boxed_streams {
    ($([$($auto:ident)*])*) => {$(
        impl<'a, I: 'a> BoxedStream<'a> for Pin<Box<dyn Stream<Item = I> $(+ $auto)* + 'a>> {
            type Item = I;
            type Error = NoError;
            fn wrap<O>(self, span: Span, read: O, _: impl FnOnce(&NoError, &mut Recorder<'_>)) -> Self
            where
                O: FnMut(&I, &mut Recorder<'_>) + Send + Sync + 'a,
            {
                if span.is_disabled() { self } else { Box::pin(traced_stream_with(span, self, read)) }
            }
        }
    )*};
}
boxed_streams!([] [Send] [Send Sync]);

impl<'a, T: BoxedStream<'a, Error = NoError>, E> BoxedStream<'a> for Result<T, E> {
    type Item = T::Item;
    type Error = E;
    fn wrap<O>(self, span: Span, read: O, failed: impl FnOnce(&E, &mut Recorder<'_>)) -> Self
    where
        O: FnMut(&T::Item, &mut Recorder<'_>) + Send + Sync + 'a,
    {
        match self {
            Ok(stream) => Ok(stream.wrap(span, read, |_, _| {})),
            Err(error) => Err(end_failed(&span, error, failed)),
        }
    }
}

impl<'a, T: BoxedStream<'a>> BoxedStream<'a> for Option<T> {
    type Item = T::Item;
    type Error = T::Error;
    fn wrap<O>(self, span: Span, read: O, failed: impl FnOnce(&T::Error, &mut Recorder<'_>)) -> Self
    where
        O: FnMut(&T::Item, &mut Recorder<'_>) + Send + Sync + 'a,
    {
        match self {
            Some(stream) => Some(stream.wrap(span, read, failed)),
            None => end_empty(&span),
        }
    }
}

fn end_failed<E>(span: &Span, error: E, failed: impl FnOnce(&E, &mut Recorder<'_>)) -> E {
    span::end(span, |recorder| {
        failed(&error, recorder);
        recorder.push(Entry::Done);
    });
    error
}

fn end_empty<T>(span: &Span) -> Option<T> {
    span::end(span, |recorder| recorder.push(Entry::Done));
    None
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident sees $mode:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $kind;

        impl $kind {
            pub fn see<T: ?Sized>(self, value: &T) -> Seen<'_, $mode, T> {
                Seen::of(value)
            }
        }
    )*};
}
kinds! {
    /// A value that is read at once.
    Plain sees Whole;
    /// A [`BoxedStream`].
    Boxed sees Item;
    /// A stream whose type nobody names.
    Opaque sees Item;
    /// A `Result` of a stream whose type nobody names.
    OpaqueResult sees Item;
    /// An `Option` of a stream whose type nobody names.
    OpaqueOption sees Item;
}

impl Plain {
    pub fn finish<T>(
        self,
        span: Span,
        returned: T,
        read: impl FnOnce(&T, &mut Recorder<'_>),
        _: impl FnOnce(&NoError, &mut Recorder<'_>),
    ) -> T {
        span::end(&span, |recorder| {
            read(&returned, recorder);
            recorder.push(Entry::Done);
        });
        drop(span);
        returned
    }
}

impl Boxed {
    pub fn finish<'a, T, O>(
        self,
        span: Span,
        returned: T,
        read: O,
        failed: impl FnOnce(&T::Error, &mut Recorder<'_>),
    ) -> T
    where
        T: BoxedStream<'a>,
        O: FnMut(&T::Item, &mut Recorder<'_>) + Send + Sync + 'a,
    {
        returned.wrap(span, read, failed)
    }
}

impl Opaque {
    pub fn finish<S, O>(
        self,
        span: Span,
        returned: S,
        read: O,
        _: impl FnOnce(&NoError, &mut Recorder<'_>),
    ) -> TracedStream<S, O>
    where
        S: Stream,
        O: FnMut(&S::Item, &mut Recorder<'_>),
    {
        traced_stream_with(span, returned, read)
    }
}

impl OpaqueResult {
    pub fn finish<S, E, O>(
        self,
        span: Span,
        returned: Result<S, E>,
        read: O,
        failed: impl FnOnce(&E, &mut Recorder<'_>),
    ) -> Result<TracedStream<S, O>, E>
    where
        S: Stream,
        O: FnMut(&S::Item, &mut Recorder<'_>),
    {
        match returned {
            Ok(stream) => Ok(traced_stream_with(span, stream, read)),
            Err(error) => Err(end_failed(&span, error, failed)),
        }
    }
}

impl OpaqueOption {
    pub fn finish<S, O>(
        self,
        span: Span,
        returned: Option<S>,
        read: O,
        _: impl FnOnce(&NoError, &mut Recorder<'_>),
    ) -> Option<TracedStream<S, O>>
    where
        S: Stream,
        O: FnMut(&S::Item, &mut Recorder<'_>),
    {
        match returned {
            Some(stream) => Some(traced_stream_with(span, stream, read)),
            None => end_empty(&span),
        }
    }
}

pub trait KindOpaque {
    type Kind;
    fn kind(&self) -> Self::Kind;
}

impl<S: Stream> KindOpaque for &&&Tag<S> {
    type Kind = Opaque;
    fn kind(&self) -> Opaque {
        Opaque
    }
}

pub trait KindOpaqueIn {
    type Kind;
    fn kind(&self) -> Self::Kind;
}

impl<S: Stream, E> KindOpaqueIn for &&Tag<Result<S, E>> {
    type Kind = OpaqueResult;
    fn kind(&self) -> OpaqueResult {
        OpaqueResult
    }
}

impl<S: Stream> KindOpaqueIn for &&Tag<Option<S>> {
    type Kind = OpaqueOption;
    fn kind(&self) -> OpaqueOption {
        OpaqueOption
    }
}

pub trait KindBoxed<'a> {
    fn kind(&self) -> Boxed {
        Boxed
    }
}

impl<'a, T: BoxedStream<'a>> KindBoxed<'a> for &Tag<T> {}

pub trait KindPlain {
    fn kind(&self) -> Plain {
        Plain
    }
}

impl<T> KindPlain for Tag<T> {}

/// Reads what came out and ends the span, or wraps the stream that came out.
///
/// `typed`: the type must stay as it is. `opaque`: the function says `impl Stream`, so it may change.
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_finish {
    (typed $($rest:tt)*) => {{
        use $crate::__private::{KindBoxed as _, KindPlain as _};
        $crate::__private::finish!(@ $($rest)*)
    }};
    (opaque $($rest:tt)*) => {{
        use $crate::__private::{KindBoxed as _, KindOpaque as _, KindOpaqueIn as _, KindPlain as _};
        $crate::__private::finish!(@ $($rest)*)
    }};
    (@ $err:ident, $span:ident, $returned:ident, { $($output:tt)* }, { $($usage:tt)* }) => {{
        let kind = (&&&&$crate::__private::Tag::of(&$returned)).kind();
        kind.finish(
            $span,
            $returned,
            move |value, recorder| {
                $crate::__private::finish!(# output $err, kind, value, recorder, $($output)*);
                $crate::__private::finish!(# usage value, recorder, $($usage)*);
            },
            |error, recorder| $crate::__private::failure!($err, recorder, error),
        )
    }};
    (# output $err:ident, $kind:ident, $value:ident, $recorder:ident,) => {
        $crate::__private::observe!($err, read, $recorder, $kind.see($value))
    };
    (# output $err:ident, $kind:ident, $value:ident, $recorder:ident, by $read:expr) => {
        $crate::__private::observe!($err, errors, $recorder, $kind.see($value));
        let output = $crate::__private::with($value, $read);
        $crate::__private::observe!($err, read, $recorder, $kind.see(&output))
    };
    (# output $err:ident, $kind:ident, $value:ident, $recorder:ident, fixed $output:ident) => {
        $crate::__private::observe!($err, errors, $recorder, $kind.see($value));
        if let ::core::option::Option::Some(output) = $output.take() {
            $crate::__private::observe!($err, read, $recorder, $crate::__private::Seen::<$crate::__private::Whole, _>::of(&output))
        }
    };
    (# usage $value:ident, $recorder:ident,) => {};
    (# usage $value:ident, $recorder:ident, $read:expr) => {
        $crate::__private::usage($recorder, $crate::__private::with($value, $read))
    };
}
