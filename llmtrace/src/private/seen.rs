//! Reading what came out of a body: peel `Result`, `Option` and pointers off, then read what is left.

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use super::probe::Probe;
use crate::observe::error_name;
use crate::recorder::Slot;
use crate::{LlmChunk, LlmResponse, Recorder};

/// What came out of a body, borrowed: a whole return value or one item of a stream.
#[derive(Debug)]
pub struct Seen<'a, M, T: ?Sized> {
    value: &'a T,
    mode: PhantomData<M>,
}

/// Mode: a whole return value.
#[derive(Debug)]
pub struct Whole;

/// Mode: an item of a stream.
#[derive(Debug)]
pub struct Item;

/// The error of what cannot fail.
#[derive(Debug)]
pub struct NoError;

/// What is left after one layer was taken off.
#[derive(Debug)]
pub enum Peeled<'a, M, T: ?Sized, E: ?Sized> {
    Value(Seen<'a, M, T>),
    Failed(&'a E),
    Nothing,
}

impl<'a, M, T: ?Sized> Seen<'a, M, T> {
    pub fn of(value: &'a T) -> Self {
        Self { value, mode: PhantomData }
    }
}

// --- layers ---

pub trait PeelLayer<'a, M> {
    type Inner: ?Sized;
    type Error;
    fn peel(&self) -> Peeled<'a, M, Self::Inner, Self::Error>;
}

impl<'a, M, T, E> PeelLayer<'a, M> for &Seen<'a, M, Result<T, E>> {
    type Inner = T;
    type Error = E;
    fn peel(&self) -> Peeled<'a, M, T, E> {
        match self.value {
            Ok(value) => Peeled::Value(Seen::of(value)),
            Err(error) => Peeled::Failed(error),
        }
    }
}

impl<'a, M, T> PeelLayer<'a, M> for &Seen<'a, M, Option<T>> {
    type Inner = T;
    type Error = NoError;
    fn peel(&self) -> Peeled<'a, M, T, NoError> {
        self.value.as_ref().map_or(Peeled::Nothing, |value| Peeled::Value(Seen::of(value)))
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<'a, M, T: ?Sized> PeelLayer<'a, M> for &Seen<'a, M, $pointer> {
            type Inner = T;
            type Error = NoError;
            fn peel(&self) -> Peeled<'a, M, T, NoError> {
                Peeled::Value(Seen::of(&**self.value))
            }
        }
    )*};
}
pointers!(Box<T>, Rc<T>, Arc<T>, &T);

pub trait PeelNothing<'a, M> {
    type Inner: ?Sized;
    fn peel(&self) -> Peeled<'a, M, Self::Inner, NoError>;
}

impl<'a, M, T: ?Sized> PeelNothing<'a, M> for Seen<'a, M, T> {
    type Inner = T;
    fn peel(&self) -> Peeled<'a, M, T, NoError> {
        Peeled::Value(Seen::of(self.value))
    }
}

// --- the core ---

pub trait ReadItself {
    fn read(&self, recorder: &mut Recorder<'_>);
}

impl<T: LlmResponse + ?Sized> ReadItself for &&&Seen<'_, Whole, T> {
    fn read(&self, recorder: &mut Recorder<'_>) {
        self.value.record(recorder);
    }
}

impl<T: LlmChunk + ?Sized> ReadItself for &&&Seen<'_, Item, T> {
    fn read(&self, recorder: &mut Recorder<'_>) {
        self.value.record(recorder);
    }
}

pub trait ReadBySerialize {
    fn read(&self, recorder: &mut Recorder<'_>);
}

impl<T: Serialize + ?Sized> ReadBySerialize for &&Seen<'_, Whole, T> {
    fn read(&self, recorder: &mut Recorder<'_>) {
        recorder.json(self.value);
    }
}

impl<T: Serialize + ?Sized> ReadBySerialize for &&Seen<'_, Item, T> {
    fn read(&self, recorder: &mut Recorder<'_>) {
        recorder.chunk(self.value);
    }
}

pub trait ReadByDebug {
    fn read(&self, recorder: &mut Recorder<'_>);
}

impl<T: Debug + ?Sized> ReadByDebug for &Seen<'_, Whole, T> {
    fn read(&self, recorder: &mut Recorder<'_>) {
        recorder.debug(&self.value, Slot::Response);
    }
}

pub trait ReadNothing {
    fn read(&self, _: &mut Recorder<'_>) {}
}

impl<M, T: ?Sized> ReadNothing for Seen<'_, M, T> {}

// --- errors ---

struct ByDebug<'a, E: ?Sized>(&'a E);

impl<E: Debug + ?Sized> Display for ByDebug<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(self.0, f)
    }
}

/// An error and what caused it; a cause that its effect quotes already is not said twice.
struct Chain<'a, E: ?Sized>(&'a E);

impl<E: Error + ?Sized> Display for Chain<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            (said, cause) = (text, error.source());
        }
        Ok(())
    }
}

pub trait FailByBox {
    fn fail(&self, recorder: &mut Recorder<'_>);
}

impl<E: Error + ?Sized> FailByBox for &&&&Probe<'_, Box<E>> {
    fn fail(&self, recorder: &mut Recorder<'_>) {
        recorder.failure(error_name::<E>(), &Chain(&**self.0));
    }
}

pub trait FailByError {
    fn fail(&self, recorder: &mut Recorder<'_>);
}

impl<E: Error + ?Sized> FailByError for &&&Probe<'_, E> {
    fn fail(&self, recorder: &mut Recorder<'_>) {
        recorder.failure(error_name::<E>(), &Chain(self.0));
    }
}

pub trait FailByDisplay {
    fn fail(&self, recorder: &mut Recorder<'_>);
}

impl<E: Display + ?Sized> FailByDisplay for &&Probe<'_, E> {
    fn fail(&self, recorder: &mut Recorder<'_>) {
        // The alternate form is where crates such as anyhow show the causes.
        recorder.failure(error_name::<E>(), &format_args!("{:#}", self.0));
    }
}

pub trait FailByDebug {
    fn fail(&self, recorder: &mut Recorder<'_>);
}

impl<E: Debug + ?Sized> FailByDebug for &Probe<'_, E> {
    fn fail(&self, recorder: &mut Recorder<'_>) {
        recorder.failure(error_name::<E>(), &ByDebug(self.0));
    }
}

pub trait FailByName {
    fn fail(&self, recorder: &mut Recorder<'_>);
}

impl<E: ?Sized> FailByName for Probe<'_, E> {
    fn fail(&self, recorder: &mut Recorder<'_>) {
        recorder.error(error_name::<E>(), "error");
    }
}

/// Records an error: with its causes, by `Display`, or by `Debug` where that is asked for or there is no other.
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_failure {
    (causes, $recorder:ident, $error:expr) => {{
        use $crate::__private::{
            FailByBox as _, FailByDebug as _, FailByDisplay as _, FailByError as _, FailByName as _,
        };
        (&&&&&$crate::__private::Probe($error)).fail($recorder)
    }};
    (display, $recorder:ident, $error:expr) => {{
        use $crate::__private::{FailByDebug as _, FailByDisplay as _, FailByName as _};
        (&&&$crate::__private::Probe($error)).fail($recorder)
    }};
    (debug, $recorder:ident, $error:expr) => {{
        use $crate::__private::{FailByDebug as _, FailByName as _};
        (&&$crate::__private::Probe($error)).fail($recorder)
    }};
}

/// Records what a [`Seen`] holds: its error, else its value (with `errors`, nothing else).
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_observe {
    ($err:ident, $what:ident, $recorder:ident, $seen:expr) => {{
        use $crate::__private::{PeelLayer as _, PeelNothing as _};
        $crate::__private::observe!(@ [1 2 3 4] $err, $what, $recorder, $seen)
    }};
    (@ [$level:literal $($more:literal)*] $err:ident, $what:ident, $recorder:ident, $seen:expr) => {
        match (&&$seen).peel() {
            $crate::__private::Peeled::Nothing => {}
            $crate::__private::Peeled::Failed(error) => $crate::__private::failure!($err, $recorder, error),
            $crate::__private::Peeled::Value(seen) => {
                $crate::__private::observe!(@ [$($more)*] $err, $what, $recorder, seen)
            }
        }
    };
    (@ [] $err:ident, read, $recorder:ident, $seen:expr) => {{
        use $crate::__private::{ReadByDebug as _, ReadBySerialize as _, ReadItself as _, ReadNothing as _};
        (&&&&$seen).read($recorder)
    }};
    (@ [] $err:ident, errors, $recorder:ident, $seen:expr) => {{
        let _ = &$seen;
    }};
}
