//! Attribute values.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// The value of an attribute. Integers stay integers, whatever their width.
///
/// ```
/// use llmtrace::Value;
/// assert_eq!(Value::from(512_u64), Value::Int(512));
/// assert_eq!(Value::from("stop").as_str(), Some("stop"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A float; one that is not finite is written to JSON as a string.
    Float(f64),
    /// A text.
    Str(Cow<'static, str>),
    /// A list.
    Array(Vec<Value>),
    /// Anything with structure.
    Json(serde_json::Value),
}

impl Value {
    /// A text that is known at compile time: it is not copied.
    pub const fn fixed(text: &'static str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if this is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(int) => i64::try_from(*int).ok(),
            _ => None,
        }
    }

    /// The count, if this is one: a non-negative integer, also one that was recorded as a float or as text.
    pub fn as_count(&self) -> Option<u64> {
        match self {
            Self::Int(int) => u64::try_from(*int).ok(),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range is checked"
            )]
            Self::Float(float) if float.fract() == 0.0 && (0.0..=9.0e15).contains(float) => {
                Some(*float as u64)
            }
            Self::Str(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(int) => Some(*int as f64),
            Self::Float(float) => Some(*float),
            _ => None,
        }
    }

    /// Roughly how much memory the value takes, in bytes.
    pub(crate) fn estimated_bytes(&self) -> usize {
        let more = match self {
            Self::Str(text) => text.len(),
            Self::Array(items) => items.iter().map(Self::estimated_bytes).sum(),
            Self::Json(json) => json_bytes(json),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => 0,
        };
        size_of::<Self>() + more
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }
}

/// Roughly how much memory a JSON value takes, in bytes.
pub(crate) fn json_bytes(json: &serde_json::Value) -> usize {
    let more = match json {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(items) => items.iter().map(json_bytes).sum(),
        serde_json::Value::Object(members) => {
            members.iter().map(|(key, value)| 48 + key.len() + json_bytes(value)).sum()
        }
        _ => 0,
    };
    size_of::<serde_json::Value>() + more
}

macro_rules! from_int {
    ($($int:ty)*) => {$(
        impl From<$int> for Value {
            fn from(int: $int) -> Self {
                Self::Int(i128::from(int))
            }
        }
    )*};
}
from_int!(i8 i16 i32 i64 i128 u8 u16 u32 u64);

impl From<u128> for Value {
    fn from(int: u128) -> Self {
        i128::try_from(int).map_or_else(|_| Self::Str(int.to_string().into()), Self::Int)
    }
}

impl From<usize> for Value {
    fn from(int: usize) -> Self {
        Self::from(int as u64)
    }
}

impl From<isize> for Value {
    fn from(int: isize) -> Self {
        Self::from(int as i64)
    }
}

impl From<f64> for Value {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<f32> for Value {
    fn from(float: f32) -> Self {
        Self::Float(f64::from(float))
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(Cow::Owned(text.to_owned()))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Str(Cow::Owned(text.clone()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(text: Cow<'static, str>) -> Self {
        Self::Str(text)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

impl<V: Into<Value> + Clone> From<&[V]> for Value {
    fn from(items: &[V]) -> Self {
        Self::Array(items.iter().cloned().map(Into::into).collect())
    }
}

impl<V: Into<Value>, const N: usize> From<[V; N]> for Value {
    fn from(items: [V; N]) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Bool(bool) => Self::Bool(bool),
            Json::String(text) => Self::Str(text.into()),
            Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(int), _, _) => Self::from(int),
                (None, Some(int), _) => Self::from(int),
                (None, None, Some(float)) => Self::Float(float),
                (None, None, None) => Self::Str(number.to_string().into()),
            },
            Json::Array(items)
                if items.iter().all(|item| !item.is_object() && !item.is_array() && !item.is_null()) =>
            {
                Self::Array(items.into_iter().map(Self::from).collect())
            }
            json => Self::Json(json),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Int(int) => match (i64::try_from(*int), u64::try_from(*int)) {
                (Ok(int), _) => serializer.serialize_i64(int),
                (_, Ok(int)) => serializer.serialize_u64(int),
                _ => serializer.serialize_i128(*int),
            },
            Self::Float(float) if float.is_finite() => serializer.serialize_f64(*float),
            Self::Float(float) => serializer.collect_str(float),
            Self::Str(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Json(json) => json.serialize(serializer),
        }
    }
}

impl fmt::Display for Value {
    /// A text as it is, everything else as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => f.pad(text),
            other => f.write_str(&serde_json::to_string(other).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_integers_and_json_reads_back() {
        let check = |value: Value, json: &str| assert_eq!(serde_json::to_string(&value).unwrap(), json);
        check(u64::MAX.into(), "18446744073709551615");
        check(i64::MIN.into(), "-9223372036854775808");
        check(u128::MAX.into(), "\"340282366920938463463374607431768211455\"");
        check(f64::NAN.into(), "\"NaN\"");
        check(vec!["a", "b"].into(), "[\"a\",\"b\"]");
        check(serde_json::json!({"a": [1]}).into(), "{\"a\":[1]}");
        assert_eq!(Value::from(serde_json::json!(["stop"])), Value::from(["stop"]));
        assert_eq!(Value::from("12").as_count(), Some(12));
        assert_eq!(Value::from(-1).as_count(), None);
    }
}
