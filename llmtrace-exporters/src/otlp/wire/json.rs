//! JSON, as the OTLP specification writes protobuf in it: ids in hex, 64-bit integers as strings, enums as numbers.

use llmtrace::Value;

use super::{Field, Mark, Scalar, Wire};
use crate::jsonl::encode;

/// Writes JSON to the end of a buffer. A comma follows each value; what closes takes the last one back.
pub(in crate::otlp) struct Json<'a> {
    out: &'a mut Vec<u8>,
    /// Where a text is written before it becomes a string.
    text: Vec<u8>,
}

impl<'a> Json<'a> {
    /// Begins the one object that everything stands in.
    pub(in crate::otlp) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, text: Vec::new() }
    }

    /// Ends that object.
    pub(in crate::otlp) fn end(mut self) {
        self.shut(b'}');
        self.out.pop();
    }

    fn shut(&mut self, bracket: u8) {
        match self.out.last_mut() {
            Some(last) if *last == b',' => *last = bracket,
            _ => self.out.push(bracket),
        }
        self.out.push(b',');
    }

    fn name(&mut self, field: Field) {
        self.out.extend_from_slice(field.name.as_bytes());
    }

    /// A `KeyValue` around the value that `value` writes.
    fn pair(&mut self, key: &str, kind: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.out.reserve(key.len() + 64);
        self.out.extend_from_slice(br#"{"key":""#);
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(br#"","value":{"#);
        self.out.extend_from_slice(kind.as_bytes());
        value(self.out);
        self.out.extend_from_slice(b"}},");
    }
}

const STRING: &str = r#""stringValue":"#;
const INT: &str = r#""intValue":"#;
const DOUBLE: &str = r#""doubleValue":"#;
const BOOL: &str = r#""boolValue":"#;
const ARRAY: &str = r#""arrayValue":"#;

fn int(value: i64, out: &mut Vec<u8>) {
    out.push(b'"');
    encode::int(value.into(), out);
    out.push(b'"');
}

fn bool(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

fn scalar(scalar: &Scalar<'_>, out: &mut Vec<u8>) {
    let mut start = |kind: &str| out.extend_from_slice(kind.as_bytes());
    match scalar {
        Scalar::Text(_) | Scalar::Written(_) => start(STRING),
        Scalar::Int(_) => start(INT),
        Scalar::Float(_) => start(DOUBLE),
        Scalar::Bool(_) => start(BOOL),
    }
    match scalar {
        Scalar::Text(text) => encode::string(text, out),
        Scalar::Written(text) => encode::string(text, out),
        Scalar::Int(value) => int(*value, out),
        Scalar::Float(float) => encode::float(*float, out),
        Scalar::Bool(value) => bool(*value, out),
    }
}

impl Wire for Json<'_> {
    fn open(&mut self, field: Field, hint: usize) -> Mark {
        self.name(field);
        self.open_item(field, hint)
    }

    fn close(&mut self, _: Mark) {
        self.shut(b'}');
    }

    fn open_list(&mut self, field: Field) {
        self.name(field);
        self.out.push(b'[');
    }

    fn close_list(&mut self) {
        self.shut(b']');
    }

    fn open_item(&mut self, _: Field, _: usize) -> Mark {
        self.out.push(b'{');
        Mark::NONE
    }

    fn id<const N: usize>(&mut self, field: Field, id: &[u8; N]) {
        self.name(field);
        self.out.push(b'"');
        encode::hex(id, self.out);
        self.out.extend_from_slice(b"\",");
    }

    fn text(&mut self, field: Field, text: &str) {
        self.name(field);
        encode::string(text, self.out);
        self.out.push(b',');
    }

    fn nanos(&mut self, field: Field, nanos: u64) {
        self.name(field);
        self.out.push(b'"');
        encode::int(nanos.into(), self.out);
        self.out.extend_from_slice(b"\",");
    }

    fn count(&mut self, field: Field, count: u64) {
        self.nanos(field, count);
    }

    fn bits(&mut self, field: Field, bits: u32) {
        self.number(field, bits);
    }

    fn number(&mut self, field: Field, number: u32) {
        self.name(field);
        encode::int(number.into(), self.out);
        self.out.push(b',');
    }

    fn pair_text(&mut self, _: Field, key: &str, value: &str) {
        self.pair(key, STRING, |out| encode::string(value, out));
    }

    fn pair_int(&mut self, _: Field, key: &str, value: i64) {
        self.pair(key, INT, |out| int(value, out));
    }

    fn pair_float(&mut self, _: Field, key: &str, value: f64) {
        self.pair(key, DOUBLE, |out| encode::float(value, out));
    }

    fn pair_bool(&mut self, _: Field, key: &str, value: bool) {
        self.pair(key, BOOL, |out| bool(value, out));
    }

    fn pair_written(&mut self, _: Field, key: &str, hint: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.reserve(hint);
        write(&mut text);
        self.pair(key, STRING, |out| encode::utf8_string(&text, out));
        self.text = text;
    }

    fn pair_list(&mut self, _: Field, key: &str, items: &[Value]) {
        self.pair(key, ARRAY, |out| {
            let mut separator: &[u8] = br#"{"values":[{"#;
            for item in items.iter().filter_map(Scalar::of) {
                out.extend_from_slice(separator);
                separator = b"},{";
                scalar(&item, out);
            }
            let is_empty = separator.len() > 3;
            out.extend_from_slice(if is_empty { br#"{"values":[]}"# } else { b"}]}" });
        });
    }
}
