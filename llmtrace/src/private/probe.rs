//! Reading a value by whatever its type can do.
//!
//! A method call takes the first implementation that fits, the one with the most references first. So the
//! order of the traits' references below is the order of preference; each use is a macro, because only at the
//! place of the call is it known what the type can do.

use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use crate::Recorder;
use crate::log::Entry;
use crate::recorder::Slot;

/// A value whose type is to be asked what it can do.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// Where a value that goes in belongs.
#[derive(Clone, Copy, Debug)]
pub enum Place<'n> {
    /// A function's argument.
    Argument(&'n str),
    /// The whole input.
    Input,
}

/// What is a text already.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as a text",
    note = "a text, anything with `Display`, or an `Option` of those can"
)]
pub trait Text {
    fn as_text(&self) -> &str;
}

macro_rules! texts {
    ($($text:ty),*) => {$(
        impl Text for $text {
            fn as_text(&self) -> &str {
                self
            }
        }
    )*};
}
texts!(str, String, Box<str>, Rc<str>, Arc<str>, Cow<'_, str>);

impl<T: Text + ?Sized> Text for &T {
    fn as_text(&self) -> &str {
        (**self).as_text()
    }
}

impl<T: Text + ?Sized> Text for &mut T {
    fn as_text(&self) -> &str {
        (**self).as_text()
    }
}

/// Calls the closure; lets its parameter's type be known.
pub fn with<'a, T: ?Sized, R>(value: &'a T, read: impl FnOnce(&'a T) -> R) -> R {
    read(value)
}

// --- what goes in ---

pub trait InputByText {
    fn put(&self, recorder: &mut Recorder<'_>, place: Place<'_>);
}

impl<T: Text + ?Sized> InputByText for &&&Probe<'_, T> {
    fn put(&self, recorder: &mut Recorder<'_>, place: Place<'_>) {
        match place {
            Place::Argument(name) => recorder.argument_text(name, self.0.as_text()),
            Place::Input => recorder.request_text(self.0.as_text()),
        }
    }
}

pub trait InputBySerialize {
    fn put(&self, recorder: &mut Recorder<'_>, place: Place<'_>);
}

impl<T: Serialize + ?Sized> InputBySerialize for &&Probe<'_, T> {
    fn put(&self, recorder: &mut Recorder<'_>, place: Place<'_>) {
        match place {
            Place::Argument(name) => recorder.argument_json(name, self.0),
            Place::Input => recorder.request(self.0),
        }
    }
}

pub trait InputByDebug {
    fn put(&self, recorder: &mut Recorder<'_>, place: Place<'_>);
}

impl<T: Debug + ?Sized> InputByDebug for &Probe<'_, T> {
    fn put(&self, recorder: &mut Recorder<'_>, place: Place<'_>) {
        let slot = match place {
            Place::Argument(name) => Slot::Argument(name),
            Place::Input => Slot::Request,
        };
        recorder.debug(&self.0, slot);
    }
}

pub trait InputByNothing {
    fn put(&self, _: &mut Recorder<'_>, _: Place<'_>) {}
}

impl<T: ?Sized> InputByNothing for Probe<'_, T> {}

/// Records an argument, unless its name means a secret.
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_argument {
    ($recorder:ident, $name:literal, $value:expr) => {
        if const { !$crate::__private::is_secret_name($name) } {
            $crate::__private::input!($recorder, $crate::__private::Place::Argument($name), $value);
        }
    };
}

/// Records a value that goes in.
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_input {
    ($recorder:ident, $place:expr, $value:expr) => {{
        use $crate::__private::{
            InputByDebug as _, InputByNothing as _, InputBySerialize as _, InputByText as _,
        };
        (&&&&$crate::__private::Probe(&$value)).put($recorder, $place)
    }};
}

// --- one text ---

pub trait TextAsItIs<'a> {
    fn text(&self) -> Option<Cow<'a, str>>;
}

impl<'a, T: Text + ?Sized> TextAsItIs<'a> for &&&Probe<'a, T> {
    fn text(&self) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(self.0.as_text()))
    }
}

impl<'a, T: Text> TextAsItIs<'a> for &&&Probe<'a, Option<T>> {
    fn text(&self) -> Option<Cow<'a, str>> {
        self.0.as_ref().map(|text| Cow::Borrowed(text.as_text()))
    }
}

impl<'a, T: Text> TextAsItIs<'a> for &&&Probe<'a, &Option<T>> {
    fn text(&self) -> Option<Cow<'a, str>> {
        self.0.as_ref().map(|text| Cow::Borrowed(text.as_text()))
    }
}

pub trait TextByDisplay {
    fn text(&self) -> Option<Cow<'static, str>>;
}

impl<T: Display + ?Sized> TextByDisplay for &&Probe<'_, T> {
    fn text(&self) -> Option<Cow<'static, str>> {
        Some(Cow::Owned(self.0.to_string()))
    }
}

pub trait MaybeTextByDisplay {
    fn text(&self) -> Option<Cow<'static, str>>;
}

impl<T: Display> MaybeTextByDisplay for &Probe<'_, Option<T>> {
    fn text(&self) -> Option<Cow<'static, str>> {
        self.0.as_ref().map(|text| Cow::Owned(text.to_string()))
    }
}

impl<T: Display> MaybeTextByDisplay for &Probe<'_, &Option<T>> {
    fn text(&self) -> Option<Cow<'static, str>> {
        self.0.as_ref().map(|text| Cow::Owned(text.to_string()))
    }
}

/// What cannot be a text: says so.
pub trait TextRefused<'a> {
    type Value: ?Sized;
    fn text(&self) -> Option<Cow<'a, str>>
    where
        Self::Value: Text;
}

impl<'a, T: ?Sized> TextRefused<'a> for Probe<'a, T> {
    type Value = T;
    fn text(&self) -> Option<Cow<'a, str>>
    where
        T: Text,
    {
        Some(Cow::Borrowed(self.0.as_text()))
    }
}

/// `Option<Cow<str>>` of anything that is or displays as a text, or an `Option` of that.
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_text {
    ($value:expr) => {
        // A `match`, so that what the expression borrows lives as long as the text.
        match &$value {
            value => {
                use $crate::__private::{
                    MaybeTextByDisplay as _, TextAsItIs as _, TextByDisplay as _, TextRefused as _,
                };
                (&&&&$crate::__private::Probe(value)).text()
            }
        }
    };
}

// --- many texts ---

/// Records one label.
fn label(recorder: &mut Recorder<'_>, text: &str) {
    recorder.push(Entry::Label(text));
}

pub trait LabelsOfText {
    fn labels(&self, recorder: &mut Recorder<'_>);
}

impl<T: Text + ?Sized> LabelsOfText for &&&&&Probe<'_, T> {
    fn labels(&self, recorder: &mut Recorder<'_>) {
        label(recorder, self.0.as_text());
    }
}

pub trait LabelsOfEach {
    fn labels(&self, recorder: &mut Recorder<'_>);
}

impl<'a, T: ?Sized> LabelsOfEach for &&&&Probe<'a, T>
where
    &'a T: IntoIterator<Item: Display>,
{
    fn labels(&self, recorder: &mut Recorder<'_>) {
        self.0.into_iter().for_each(|item| label(recorder, &item.to_string()));
    }
}

pub trait LabelsOfClone {
    fn labels(&self, recorder: &mut Recorder<'_>);
}

impl<T: IntoIterator<Item: Display> + Clone> LabelsOfClone for &&&Probe<'_, T> {
    fn labels(&self, recorder: &mut Recorder<'_>) {
        self.0.clone().into_iter().for_each(|item| label(recorder, &item.to_string()));
    }
}

pub trait LabelsOfMaybe {
    fn labels(&self, recorder: &mut Recorder<'_>);
}

impl<'a, T> LabelsOfMaybe for &&Probe<'a, Option<T>>
where
    &'a T: IntoIterator<Item: Display>,
{
    fn labels(&self, recorder: &mut Recorder<'_>) {
        let items = self.0.iter().flatten();
        items.for_each(|item| label(recorder, &item.to_string()));
    }
}

pub trait LabelsOfOne {
    fn labels(&self, recorder: &mut Recorder<'_>);
}

impl<T: Display + ?Sized> LabelsOfOne for &Probe<'_, T> {
    fn labels(&self, recorder: &mut Recorder<'_>) {
        label(recorder, &self.0.to_string());
    }
}

/// What cannot be labels: says so.
pub trait LabelsRefused {
    type Value: ?Sized;
    fn labels(&self, recorder: &mut Recorder<'_>)
    where
        Self::Value: Text;
}

impl<T: ?Sized> LabelsRefused for Probe<'_, T> {
    type Value = T;
    fn labels(&self, recorder: &mut Recorder<'_>)
    where
        T: Text,
    {
        label(recorder, self.0.as_text());
    }
}

/// Records labels: a text, texts, or an `Option` of those.
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_labels {
    ($recorder:ident, $value:expr) => {{
        use $crate::__private::{
            LabelsOfClone as _, LabelsOfEach as _, LabelsOfMaybe as _, LabelsOfOne as _, LabelsOfText as _,
            LabelsRefused as _,
        };
        (&&&&&&$crate::__private::Probe(&$value)).labels($recorder)
    }};
}
