//! Values on their way to a span.

use std::borrow::Cow;
use std::sync::Arc;

use crate::Value;

/// The value of an attribute on its way to a span; made with `into()`.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeValue<'a>(pub(crate) Repr<'a>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Repr<'a> {
    Str(Cow<'a, str>),
    Int(i128),
    Float(f64),
    Bool(bool),
    Json(Vec<u8>),
}

impl AttributeValue<'_> {
    pub(crate) fn to_text(&self) -> Arc<str> {
        match &self.0 {
            Repr::Str(text) => Arc::from(&**text),
            Repr::Int(int) => Arc::from(int.to_string()),
            Repr::Float(float) => Arc::from(float.to_string()),
            Repr::Bool(bool) => Arc::from(bool.to_string()),
            Repr::Json(json) => Arc::from(String::from_utf8_lossy(json)),
        }
    }
}

impl<'a> From<&'a str> for AttributeValue<'a> {
    fn from(text: &'a str) -> Self {
        Self(Repr::Str(Cow::Borrowed(text)))
    }
}

impl<'a> From<&'a String> for AttributeValue<'a> {
    fn from(text: &'a String) -> Self {
        Self(Repr::Str(Cow::Borrowed(text)))
    }
}

impl From<String> for AttributeValue<'_> {
    fn from(text: String) -> Self {
        Self(Repr::Str(Cow::Owned(text)))
    }
}

impl<'a> From<Cow<'a, str>> for AttributeValue<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(Repr::Str(text))
    }
}

macro_rules! from_int {
    ($($int:ty)*) => {$(
        impl From<$int> for AttributeValue<'_> {
            #[inline]
            fn from(int: $int) -> Self {
                Self(Repr::Int(i128::from(int)))
            }
        }
    )*};
}
from_int!(i8 i16 i32 i64 i128 u8 u16 u32 u64);

impl From<usize> for AttributeValue<'_> {
    fn from(int: usize) -> Self {
        Self(Repr::Int(int as i128))
    }
}

impl From<isize> for AttributeValue<'_> {
    fn from(int: isize) -> Self {
        Self(Repr::Int(int as i128))
    }
}

impl From<f64> for AttributeValue<'_> {
    fn from(float: f64) -> Self {
        Self(Repr::Float(float))
    }
}

impl From<f32> for AttributeValue<'_> {
    fn from(float: f32) -> Self {
        Self(Repr::Float(f64::from(float)))
    }
}

impl From<bool> for AttributeValue<'_> {
    fn from(bool: bool) -> Self {
        Self(Repr::Bool(bool))
    }
}

impl From<Value> for AttributeValue<'_> {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::Str(text) => Repr::Str(text),
            Value::Int(int) => Repr::Int(int),
            Value::Float(float) => Repr::Float(float),
            Value::Bool(bool) => Repr::Bool(bool),
            Value::Array(_) | Value::Json(_) => Repr::Json(serde_json::to_vec(&value).unwrap_or_default()),
        })
    }
}

impl From<serde_json::Value> for AttributeValue<'_> {
    fn from(json: serde_json::Value) -> Self {
        Value::from(json).into()
    }
}

impl<V: Into<Value>> From<Vec<V>> for AttributeValue<'_> {
    fn from(items: Vec<V>) -> Self {
        Value::from(items).into()
    }
}

impl<V: Into<Value>, const N: usize> From<[V; N]> for AttributeValue<'_> {
    fn from(items: [V; N]) -> Self {
        Value::from(items).into()
    }
}
