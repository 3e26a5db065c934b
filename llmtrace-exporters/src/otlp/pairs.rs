//! The attributes of one message on their way to the wire.

use llmtrace::{Attributes, Value};

use super::facts::slot::Slot;
use super::wire::{Field, Wire};
use crate::jsonl::encode;

/// Longest key of an attribute that a program chose, in bytes.
const MAX_KEY_BYTES: usize = 128;

/// Parts of a key that JavaScript objects inherit: a server that nests by dots would write to them.
const INHERITED: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// Roughly the bytes of a small JSON value.
const SMALL: usize = 64;

/// The attributes of one span, event, link or resource. An absent value writes nothing.
pub(super) struct Pairs<'a, W> {
    wire: &'a mut W,
    list: Field,
    /// Where the span itself may hold keys of a dialect: what it says stands.
    stated: Option<&'a Attributes>,
    key: &'a mut String,
    refused: u32,
}

/// Whether a key that a program chose may be sent: 1 to 128 of `A-Z a-z 0-9 _ . -`, no part of it one that JavaScript
/// objects inherit.
pub(super) fn is_safe_key(key: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=MAX_KEY_BYTES).contains(&key.len())
        && key.bytes().all(is_plain)
        && key.split('.').all(|part| !INHERITED.contains(&part))
}

impl<'a, W: Wire> Pairs<'a, W> {
    /// Pairs that become items of `list`; `key` is room for keys that are put together.
    pub(super) fn new(wire: &'a mut W, list: Field, key: &'a mut String) -> Self {
        Self { wire, list, stated: None, key, refused: 0 }
    }

    /// The keys of `stated` are written by [`own`](Self::own) alone.
    pub(super) fn keep(&mut self, stated: &'a Attributes) {
        self.stated = Some(stated);
    }

    /// How many attributes were not sent.
    pub(super) fn refused(&self) -> u32 {
        self.refused
    }

    /// Counts attributes that are not sent.
    pub(super) fn refuse(&mut self, count: usize) {
        self.refused = self.refused.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// An attribute under a name of the conventions.
    pub(super) fn own(&mut self, key: &str, value: &Value) {
        write(self.wire, self.list, key, value);
    }

    /// An attribute whose key a program chose: sent if the key is safe, else counted.
    pub(super) fn chosen(&mut self, key: &str, value: &Value) {
        if is_safe_key(key) {
            write(self.wire, self.list, key, value);
        } else {
            self.refuse(1);
        }
    }

    /// All attributes of an event, a link or a resource.
    pub(super) fn all(&mut self, attributes: &Attributes) {
        for (key, value) in attributes.iter() {
            self.chosen(key, value);
        }
    }

    fn is_free(&self, key: &str) -> bool {
        // Known keys are not stated here: the pass over the span's own attributes leaves out what is written later.
        self.stated.is_none_or(|stated| Slot::of(key).is_some() || stated.get(key).is_none())
    }

    /// Any value.
    pub(super) fn value(&mut self, key: &str, value: Option<&Value>) {
        if let Some(value) = value
            && self.is_free(key)
        {
            write(self.wire, self.list, key, value);
        }
    }

    /// A text.
    pub(super) fn text<'t>(&mut self, key: &str, text: impl Into<Option<&'t str>>) {
        if let Some(text) = text.into()
            && self.is_free(key)
        {
            self.wire.pair_text(self.list, key, text);
        }
    }

    /// A count.
    pub(super) fn count(&mut self, key: &str, count: Option<u64>) {
        if let Some(count) = count
            && self.is_free(key)
        {
            write_int(self.wire, self.list, key, count.into());
        }
    }

    /// A float.
    pub(super) fn float(&mut self, key: &str, float: Option<f64>) {
        if let Some(float) = float
            && self.is_free(key)
        {
            write_float(self.wire, self.list, key, float);
        }
    }

    /// A text that `write` writes, in UTF-8 and roughly `hint` bytes long.
    pub(super) fn written(&mut self, key: &str, hint: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_free(key) {
            self.wire.pair_written(self.list, key, hint, write);
        }
    }

    /// A JSON value, as text.
    pub(super) fn json(&mut self, key: &str, json: &serde_json::Value) {
        self.written(key, SMALL, |out| encode::json(json, 0, out));
    }

    /// Writes a pair whose key is put together from `parts`.
    pub(super) fn joined(&mut self, parts: &[&dyn std::fmt::Display], write: impl FnOnce(&mut Self, &str)) {
        let mut key = std::mem::take(self.key);
        key.clear();
        for part in parts {
            // Writing to a string cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut key, format_args!("{part}"));
        }
        write(self, &key);
        *self.key = key;
    }
}

fn write<W: Wire>(wire: &mut W, list: Field, key: &str, value: &Value) {
    match value {
        Value::Str(text) => wire.pair_text(list, key, text),
        Value::Int(int) => write_int(wire, list, key, *int),
        Value::Float(float) => write_float(wire, list, key, *float),
        Value::Bool(bool) => wire.pair_bool(list, key, *bool),
        Value::Array(items) if items.iter().all(is_scalar) => wire.pair_list(list, key, items),
        structured => wire.pair_written(list, key, SMALL, |out| encode::value(structured, 0, out)),
    }
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_))
}

/// An integer beyond 64 bits becomes a text.
fn write_int<W: Wire>(wire: &mut W, list: Field, key: &str, int: i128) {
    match i64::try_from(int) {
        Ok(int) => wire.pair_int(list, key, int),
        Err(_) => wire.pair_text(list, key, &int.to_string()),
    }
}

/// JSON has no infinities: what is not finite becomes a text, in both encodings.
fn write_float<W: Wire>(wire: &mut W, list: Field, key: &str, float: f64) {
    if float.is_finite() {
        wire.pair_float(list, key, float);
    } else {
        wire.pair_text(list, key, &float.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_of_a_closed_alphabet_and_inherit_nothing() {
        let check = |key: &str, is_safe| assert_eq!(is_safe_key(key), is_safe, "{key}");
        check("app.user-tier_2", true);
        check(&"k".repeat(128), true);
        check("protocol.version", true);
        check("reconstructors", true);
        check("", false);
        check(&"k".repeat(129), false);
        check("with space", false);
        check("quote\"", false);
        check("ключ", false);
        check("nul\0", false);
        check("__proto__", false);
        check("a.__proto__.b", false);
        check("a.constructor", false);
        check("prototype.x", false);
    }
}
