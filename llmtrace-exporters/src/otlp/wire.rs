//! The two encodings of OTLP, behind one trait.

pub(super) mod json;
pub(super) mod protobuf;

use llmtrace::Value;

/// A field of a message: its number in protobuf, its name in JSON.
#[derive(Clone, Copy)]
pub(super) struct Field {
    number: u8,
    /// With quotes and colon.
    name: &'static str,
}

impl Field {
    /// A field; [`fields`] makes the name.
    pub(super) const fn new(number: u8, name: &'static str) -> Self {
        Self { number, name }
    }
}

/// Constants for fields.
macro_rules! fields {
    ($($constant:ident = $number:literal $name:literal;)*) => {
        $(const $constant: $crate::otlp::wire::Field =
            $crate::otlp::wire::Field::new($number, concat!("\"", $name, "\":"));)*
    };
}
pub(super) use fields;

/// Where a message began.
#[derive(Clone, Copy)]
#[must_use]
pub(super) struct Mark {
    at: usize,
    width: usize,
}

impl Mark {
    /// Of a wire that has no places.
    pub(super) const NONE: Self = Self { at: 0, width: 0 };
}

/// Writes messages. What is opened must be closed, in order.
///
/// `hint` is roughly how many bytes the content will have: a good one saves a move of the content.
pub(super) trait Wire {
    /// Opens a message.
    fn open(&mut self, field: Field, hint: usize) -> Mark;
    /// Closes a message.
    fn close(&mut self, mark: Mark);
    /// Opens a repeated field.
    fn open_list(&mut self, field: Field);
    /// Closes a repeated field.
    fn close_list(&mut self);
    /// Opens a message of a repeated field.
    fn open_item(&mut self, field: Field, hint: usize) -> Mark;

    /// Writes an id: bytes in protobuf, hex digits in JSON.
    fn id<const N: usize>(&mut self, field: Field, id: &[u8; N]);
    /// Writes a text.
    fn text(&mut self, field: Field, text: &str);
    /// Writes a time: a `fixed64`, decimal digits in a string in JSON.
    fn nanos(&mut self, field: Field, nanos: u64);
    /// Writes a `fixed32`.
    fn bits(&mut self, field: Field, bits: u32);
    /// Writes an `int64`: decimal digits in a string in JSON.
    fn count(&mut self, field: Field, count: u64);
    /// Writes a `uint32` or an enum.
    fn number(&mut self, field: Field, number: u32);

    /// Writes a `KeyValue` with a text. A key needs no escape in JSON, here and below.
    fn pair_text(&mut self, list: Field, key: &str, value: &str);
    /// Writes a `KeyValue` with an integer.
    fn pair_int(&mut self, list: Field, key: &str, value: i64);
    /// Writes a `KeyValue` with a finite float.
    fn pair_float(&mut self, list: Field, key: &str, value: f64);
    /// Writes a `KeyValue` with a truth value.
    fn pair_bool(&mut self, list: Field, key: &str, value: bool);
    /// Writes a `KeyValue` with a text that `write` writes, in UTF-8.
    fn pair_written(&mut self, list: Field, key: &str, hint: usize, write: impl FnOnce(&mut Vec<u8>));
    /// Writes a `KeyValue` with a list; items that are no scalars are left out.
    fn pair_list(&mut self, list: Field, key: &str, items: &[Value]);
}

/// One item of a list, as both encodings see it.
enum Scalar<'a> {
    Text(&'a str),
    Written(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl<'a> Scalar<'a> {
    /// Integers beyond 64 bits and floats that are not finite become texts.
    fn of(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Str(text) => Self::Text(text),
            Value::Int(int) => i64::try_from(*int).map_or_else(|_| Self::Written(int.to_string()), Self::Int),
            Value::Float(float) if float.is_finite() => Self::Float(*float),
            Value::Float(float) => Self::Written(float.to_string()),
            Value::Bool(bool) => Self::Bool(*bool),
            _ => return None,
        })
    }
}
