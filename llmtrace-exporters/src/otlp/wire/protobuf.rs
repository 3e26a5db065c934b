//! Protobuf: <https://protobuf.dev/programming-guides/encoding/>.

use llmtrace::Value;

use super::{Field, Mark, Scalar, Wire};

/// Writes protobuf to the end of a buffer.
///
/// The length of a message stands before it, so room for it is left and filled in when the message is closed. Where
/// the room was too small or too large, the content is moved; only the outermost messages, for which four bytes are
/// left, keep a length with more bytes than it needs. Such a varint is legal: the encoding guide lets a varint have
/// up to ten bytes, and `CodedInputStream::ReadVarint32` and its kin stop at the first byte without a continuation
/// bit, wherever it comes.
pub(in crate::otlp) struct Protobuf<'a>(pub(in crate::otlp) &'a mut Vec<u8>);

/// Lengths with so many bytes are not shortened.
const PADDED: usize = 4;

/// Wire types.
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH: u8 = 2;
const FIXED32: u8 = 5;

/// Tags of `KeyValue.key`, `KeyValue.value` and of the values in `AnyValue` and `ArrayValue`.
const KEY: u8 = 1 << 3 | LENGTH;
const VALUE: u8 = 2 << 3 | LENGTH;
const STRING: u8 = 1 << 3 | LENGTH;
const BOOL: u8 = 2 << 3 | VARINT;
const INT: u8 = 3 << 3 | VARINT;
const DOUBLE: u8 = 4 << 3 | FIXED64;
const ARRAY: u8 = 5 << 3 | LENGTH;
const VALUES: u8 = 1 << 3 | LENGTH;

/// How many bytes the varint of `value` has.
#[inline]
fn width(value: usize) -> usize {
    // A byte for each seven bits.
    ((usize::BITS - (value | 1).leading_zeros()) as usize * 9 + 64) / 64
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "seven bits are kept")]
fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

impl Protobuf<'_> {
    #[inline]
    fn tag(&mut self, field: Field, wire_type: u8) {
        varint(u64::from(field.number) << 3 | u64::from(wire_type), self.0);
    }

    /// Leaves room for a length.
    #[inline]
    fn leave(&mut self, hint: usize) -> Mark {
        let (at, width) = (self.0.len(), width(hint));
        self.0.extend_from_slice([0; 10].get(..width).unwrap_or_default());
        Mark { at, width }
    }

    /// A `KeyValue` up to the `AnyValue` of `bytes` bytes that follows.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "lengths below 128 fit")]
    fn pair(&mut self, list: Field, key: &str, bytes: usize) {
        let whole = 2 + width(key.len()) + key.len() + width(bytes) + bytes;
        if whole < 0x80 && list.number < 16 {
            // All lengths have one byte.
            let tag = list.number << 3 | LENGTH;
            self.0.extend_from_slice(&[tag, whole as u8, KEY, key.len() as u8]);
            self.0.extend_from_slice(key.as_bytes());
            self.0.extend_from_slice(&[VALUE, bytes as u8]);
        } else {
            self.tag(list, LENGTH);
            varint(whole as u64, self.0);
            self.0.push(KEY);
            varint(key.len() as u64, self.0);
            self.0.extend_from_slice(key.as_bytes());
            self.0.push(VALUE);
            varint(bytes as u64, self.0);
        }
    }

    /// Fills in a length that may need more or less room than was left.
    fn close_long(&mut self, mark: Mark, start: usize, length: usize) {
        let needed = width(length);
        let room = if mark.width >= PADDED { needed.max(mark.width) } else { needed };
        if room != mark.width {
            let moved_to = mark.at + room;
            if room > mark.width {
                self.0.resize(moved_to + length, 0);
            }
            self.0.copy_within(start..start + length, moved_to);
            self.0.truncate(moved_to + length);
        }
        let mut rest = length;
        for (index, byte) in self.0.iter_mut().skip(mark.at).take(room).enumerate() {
            let more = if index + 1 < room { 0x80 } else { 0 };
            #[expect(clippy::cast_possible_truncation, reason = "seven bits are kept")]
            let low = (rest & 0x7f) as u8;
            *byte = low | more;
            rest >>= 7;
        }
    }

    fn scalar(&mut self, scalar: &Scalar<'_>) {
        match scalar {
            Scalar::Text(text) => self.string(text),
            Scalar::Written(text) => self.string(text),
            Scalar::Int(int) => self.int(*int),
            Scalar::Float(float) => self.float(*float),
            Scalar::Bool(bool) => self.0.extend_from_slice(&[BOOL, u8::from(*bool)]),
        }
    }

    #[inline]
    fn string(&mut self, text: &str) {
        self.0.push(STRING);
        varint(text.len() as u64, self.0);
        self.0.extend_from_slice(text.as_bytes());
    }

    #[inline]
    fn int(&mut self, int: i64) {
        self.0.push(INT);
        varint(int.cast_unsigned(), self.0);
    }

    #[inline]
    fn float(&mut self, float: f64) {
        self.0.push(DOUBLE);
        self.0.extend_from_slice(&float.to_le_bytes());
    }
}

impl Wire for Protobuf<'_> {
    fn open(&mut self, field: Field, hint: usize) -> Mark {
        self.tag(field, LENGTH);
        self.leave(hint)
    }

    #[inline]
    fn close(&mut self, mark: Mark) {
        let start = mark.at + mark.width;
        let length = self.0.len() - start;
        if mark.width == 1
            && let Ok(length) = u8::try_from(length)
            && length < 0x80
            && let Some(room) = self.0.get_mut(mark.at)
        {
            *room = length;
        } else {
            self.close_long(mark, start, length);
        }
    }

    fn open_list(&mut self, _: Field) {}

    fn close_list(&mut self) {}

    fn open_item(&mut self, field: Field, hint: usize) -> Mark {
        self.open(field, hint)
    }

    fn id<const N: usize>(&mut self, field: Field, id: &[u8; N]) {
        self.tag(field, LENGTH);
        varint(N as u64, self.0);
        self.0.extend_from_slice(id);
    }

    fn text(&mut self, field: Field, text: &str) {
        self.tag(field, LENGTH);
        varint(text.len() as u64, self.0);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn nanos(&mut self, field: Field, nanos: u64) {
        self.tag(field, FIXED64);
        self.0.extend_from_slice(&nanos.to_le_bytes());
    }

    fn bits(&mut self, field: Field, bits: u32) {
        self.tag(field, FIXED32);
        self.0.extend_from_slice(&bits.to_le_bytes());
    }

    fn count(&mut self, field: Field, count: u64) {
        self.tag(field, VARINT);
        varint(count, self.0);
    }

    fn number(&mut self, field: Field, number: u32) {
        self.tag(field, VARINT);
        varint(u64::from(number), self.0);
    }

    fn pair_text(&mut self, list: Field, key: &str, value: &str) {
        self.0.reserve(value.len() + 160);
        self.pair(list, key, 1 + width(value.len()) + value.len());
        self.string(value);
    }

    fn pair_int(&mut self, list: Field, key: &str, value: i64) {
        self.pair(list, key, 1 + width(usize::try_from(value.cast_unsigned()).unwrap_or(usize::MAX)));
        self.int(value);
    }

    fn pair_float(&mut self, list: Field, key: &str, value: f64) {
        self.pair(list, key, 9);
        self.float(value);
    }

    fn pair_bool(&mut self, list: Field, key: &str, value: bool) {
        self.pair(list, key, 2);
        self.0.extend_from_slice(&[BOOL, u8::from(value)]);
    }

    fn pair_written(&mut self, list: Field, key: &str, hint: usize, write: impl FnOnce(&mut Vec<u8>)) {
        // What stands between the outer and the inner length.
        let around = 4 + width(hint);
        self.tag(list, LENGTH);
        let pair = self.leave(hint + around + key.len());
        self.0.push(KEY);
        varint(key.len() as u64, self.0);
        self.0.extend_from_slice(key.as_bytes());
        self.0.push(VALUE);
        let value = self.leave(hint + around);
        self.0.push(STRING);
        let text = self.leave(hint);
        write(self.0);
        self.close(text);
        self.close(value);
        self.close(pair);
    }

    fn pair_list(&mut self, list: Field, key: &str, items: &[Value]) {
        self.tag(list, LENGTH);
        let pair = self.leave(key.len());
        self.0.push(KEY);
        varint(key.len() as u64, self.0);
        self.0.extend_from_slice(key.as_bytes());
        self.0.push(VALUE);
        let value = self.leave(0);
        self.0.push(ARRAY);
        let array = self.leave(0);
        for scalar in items.iter().filter_map(Scalar::of) {
            self.0.push(VALUES);
            let item = self.leave(0);
            self.scalar(&scalar);
            self.close(item);
        }
        self.close(array);
        self.close(value);
        self.close(pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::wire::fields;

    #[test]
    fn widths_are_those_of_the_varints() {
        let check = |value: usize| {
            let mut out = Vec::new();
            varint(value as u64, &mut out);
            assert_eq!(width(value), out.len(), "{value}");
        };
        for bit in 0..usize::BITS {
            let power = 1_usize << bit;
            [power - 1, power, power + 1].into_iter().for_each(check);
        }
        check(usize::MAX);
    }

    #[test]
    fn lengths_are_right_whatever_was_guessed() {
        fields! { OUTER = 1 "outer"; INNER = 2 "inner"; }
        for length in [0, 1, 126, 127, 128, 16_383, 16_384, 70_000] {
            for hint in [0, 127, 128, 16_384, 1 << 21, 1 << 28] {
                let mut out = b"before".to_vec();
                let mut wire = Protobuf(&mut out);
                let outer = wire.open(OUTER, hint);
                wire.text(INNER, &"x".repeat(length));
                wire.close(outer);
                let mut bytes = &out[6..];
                let tag = prost::encoding::decode_key(&mut bytes).unwrap();
                assert_eq!(tag, (1, prost::encoding::WireType::LengthDelimited));
                let size = prost::encoding::decode_varint(&mut bytes).unwrap();
                assert_eq!(size, bytes.len() as u64, "{length} {hint}");
                assert_eq!(bytes[bytes.len() - length..], *"x".repeat(length).as_bytes());
            }
        }
    }
}
