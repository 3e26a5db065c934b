//! JSON text, written fast: strings that are safe to print, numbers, nested values.

use llmtrace::Value;

/// Containers that a line may nest, itself included; what is deeper is written as [`TOO_DEEP`]. Common JSON
/// readers stop at 128.
pub(super) const MAX_NESTING: usize = 120;

/// Stands where a value is nested deeper than [`MAX_NESTING`].
const TOO_DEEP: &str = "[nested too deep]";

/// Writes a string with its quotes.
///
/// Beside what JSON demands, it escapes what could act on a terminal or break a line: DEL, the C1 controls,
/// U+2028, U+2029 and the controls of bidirectional text.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    utf8_string(text.as_bytes(), out);
}

/// [`string`] of bytes that are known to be UTF-8; other bytes would be copied as they are.
pub(crate) fn utf8_string(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + text.len() / 16 + 10);
    out.push(b'"');
    let mut rest = text;
    loop {
        let (plain, after) = rest.split_at(plain_run(rest));
        out.extend_from_slice(plain);
        // The two commonest escapes first.
        rest = match after {
            [] => break,
            [b'\n', after @ ..] => {
                out.extend_from_slice(b"\\n");
                after
            }
            [quote @ (b'"' | b'\\'), after @ ..] => {
                out.extend_from_slice(&[b'\\', *quote]);
                after
            }
            other => char(other, out),
        };
    }
    out.push(b'"');
}

/// How many bytes at the start need no escape.
fn plain_run(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<32>();
    let plain = 32 * blocks.iter().take_while(|block| is_plain(block)).count();
    let rest = bytes.get(plain..).unwrap_or_default();
    let (words, tail) = rest.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marked = special(u64::from_le_bytes(*word));
        if marked != 0 {
            return plain + index * 8 + marked.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| needs_care(*byte);
    plain + words.len() * 8 + tail.iter().position(is_special).unwrap_or(tail.len())
}

/// Written so that the compiler looks at many bytes at once.
#[inline]
fn is_plain(block: &[u8; 32]) -> bool {
    !block.iter().fold(false, |marked, byte| marked | needs_care(*byte))
}

/// Whether a byte is a quote, a backslash, a control, or not ASCII.
#[inline]
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a lazy operator is a branch, and many bytes are looked at at once"
)]
fn needs_care(byte: u8) -> bool {
    // Signed, bytes from 0x80 are below space too.
    (byte.cast_signed() < 0x20) | (byte == b'"') | (byte == b'\\') | (byte == 0x7f)
}

/// Writes the bytes at the start that are not plain ASCII, or one byte, and gives back the rest.
fn char<'a>(bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let length = match escaped_char(bytes) {
        None => {
            let beyond =
                bytes.iter().skip(1).take_while(|byte| !matches!(byte, ..0x80 | 0xc2 | 0xd8 | 0xe2)).count();
            let length = if matches!(bytes, [0x80..=0xff, ..]) { 1 + beyond } else { 1 };
            out.extend_from_slice(bytes.get(..length).unwrap_or_default());
            length
        }
        Some((length, point)) => {
            if let Some(letter) = short_escape(point) {
                out.extend_from_slice(&[b'\\', letter]);
            } else {
                out.extend_from_slice(b"\\u");
                hex(&point.to_be_bytes(), out);
            }
            length
        }
    };
    bytes.get(length..).unwrap_or_default()
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// Marks `"`, `\`, controls, DEL and bytes from 0x80 by their highest bit. Exact up to the first mark
/// (Hacker's Delight, section 6-1).
#[inline]
fn special(word: u64) -> u64 {
    (quote_or_below(word) | word | word.wrapping_add(ONES)) & HIGH
}

/// Marks `"`, `\` and bytes below space; what it says of bytes from 0x80 is void.
#[inline]
fn quote_or_below(word: u64) -> u64 {
    // Swapping the bit 2 puts `"` right below what follows the controls.
    let below = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    below | backslash
}

/// How many bytes at the start are text inside a JSON string: no quote, no backslash, no control.
pub(super) fn text_run(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let marked = quote_or_below(word) & !word & HIGH;
        if marked != 0 {
            return index * 8 + marked.trailing_zeros() as usize / 8;
        }
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    words.len() * 8 + tail.iter().position(ends).unwrap_or(tail.len())
}

/// The character at the start if it must be escaped: its bytes and its code point.
fn escaped_char(bytes: &[u8]) -> Option<(usize, u16)> {
    Some(match *bytes {
        [byte @ (..b' ' | b'"' | b'\\' | 0x7f), ..] => (1, u16::from(byte)),
        [0xc2, byte @ ..=0x9f, ..] => (2, u16::from(byte)),
        [0xd8, 0x9c, ..] => (2, 0x061c),
        [0xe2, 0x80, byte @ (0x8e | 0x8f | 0xa8..=0xae), ..] => (3, 0x2000 + u16::from(byte - 0x80)),
        [0xe2, 0x81, byte @ 0xa6..=0xa9, ..] => (3, 0x2040 + u16::from(byte - 0x80)),
        _ => return None,
    })
}

fn short_escape(point: u16) -> Option<u8> {
    Some(match point {
        0x22 => b'"',
        0x5c => b'\\',
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        _ => return None,
    })
}

/// Writes bytes as lower-case hex digits.
pub(crate) fn hex<const N: usize>(bytes: &[u8; N], out: &mut Vec<u8>) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    let pairs = bytes.map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    out.extend_from_slice(pairs.as_flattened());
}

/// Writes an integer of any width.
pub(crate) fn int(value: i128, out: &mut Vec<u8>) {
    let Ok(mut size) = u64::try_from(value.unsigned_abs()) else {
        out.extend_from_slice(value.to_string().as_bytes());
        return;
    };
    if value < 0 {
        out.push(b'-');
    }
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot += (size % 10) as u8;
        used += 1;
        size /= 10;
        if size == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// Writes a float, always with a point or an exponent; one that is not finite as `"NaN"`, `"inf"` or `"-inf"`.
pub(crate) fn float(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        let start = out.len();
        // Writing to a vector cannot fail; an unfinished number would be taken back.
        if serde_json::to_writer(&mut *out, &value).is_err() {
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    } else {
        string(&value.to_string(), out);
    }
}

/// Writes the value of an attribute that stands inside `depth` containers.
pub(crate) fn value(value: &Value, depth: usize, out: &mut Vec<u8>) {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(int) => self::int(*int, out),
        Value::Float(float) => self::float(*float, out),
        Value::Str(text) => string(text, out),
        Value::Array(items) => array(items, depth, out, self::value),
        Value::Json(json) => self::json(json, depth, out),
        other => self::json(&serde_json::to_value(other).unwrap_or_default(), depth, out),
    }
}

/// Writes a JSON value that stands inside `depth` containers.
pub(crate) fn json(value: &serde_json::Value, depth: usize, out: &mut Vec<u8>) {
    use serde_json::Value as Json;
    match value {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(true) => out.extend_from_slice(b"true"),
        Json::Bool(false) => out.extend_from_slice(b"false"),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(signed), _) => int(i128::from(signed), out),
            (None, Some(unsigned)) => int(i128::from(unsigned), out),
            (None, None) => out.extend_from_slice(number.to_string().as_bytes()),
        },
        Json::String(text) => string(text, out),
        Json::Array(items) => array(items, depth, out, json),
        Json::Object(_) if depth >= MAX_NESTING => string(TOO_DEEP, out),
        Json::Object(fields) => {
            out.push(b'{');
            for (index, (key, field)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                string(key, out);
                out.push(b':');
                json(field, depth + 1, out);
            }
            out.push(b'}');
        }
    }
}

/// Writes a list whose items `item` writes.
pub(crate) fn array<T>(items: &[T], depth: usize, out: &mut Vec<u8>, item: fn(&T, usize, &mut Vec<u8>)) {
    if depth >= MAX_NESTING {
        return string(TOO_DEEP, out);
    }
    out.push(b'[');
    for (index, one) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        item(one, depth + 1, out);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_escape_what_json_terminals_and_line_readers_cannot_take() {
        let check = |text: &str, json: &str| {
            // At every alignment to the eight bytes that are looked at together.
            for pad in 0..17 {
                let pad = "x".repeat(pad);
                let line = written(|out| string(&format!("{pad}{text}{pad}"), out));
                assert_eq!(line, format!("\"{pad}{json}{pad}\""));
                assert_eq!(serde_json::from_str::<String>(&line).unwrap(), format!("{pad}{text}{pad}"));
            }
        };
        check("plain ~!#[]'", "plain ~!#[]'");
        check("a\"b\\c/", "a\\\"b\\\\c/");
        check("\u{8}\t\n\u{c}\r", "\\b\\t\\n\\f\\r");
        check("\0\u{1}\u{1b}[31m\u{1f}", "\\u0000\\u0001\\u001b[31m\\u001f");
        check("\u{7f}\u{80}\u{9b}\u{9f}\u{a0}é", "\\u007f\\u0080\\u009b\\u009f\u{a0}é");
        check("\u{2028}\u{2029}\u{2027}\u{202f}", "\\u2028\\u2029\u{2027}\u{202f}");
        check("\u{202a}\u{202e}\u{2066}\u{2069}\u{2065}", "\\u202a\\u202e\\u2066\\u2069\u{2065}");
        check("\u{200e}\u{200f}\u{61c}\u{61b}\u{200d}", "\\u200e\\u200f\\u061c\u{61b}\u{200d}");
        check("Привет, 世界 🦀 “quoted”", "Привет, 世界 🦀 “quoted”");
    }

    #[test]
    fn every_char_reads_back() {
        let all: String = (0..=0x2_ffff).filter_map(char::from_u32).collect();
        let line = written(|out| string(&all, out));
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), all);
        let control =
            |c: char| c.is_control() || "\u{2028}\u{2029}\u{202e}\u{2066}\u{200e}\u{61c}".contains(c);
        assert_eq!(line.find(control), None);
    }

    #[test]
    fn numbers_keep_their_kind() {
        let check = |value: Value, json: &str| assert_eq!(written(|out| self::value(&value, 0, out)), json);
        check(0.into(), "0");
        check((-7).into(), "-7");
        check(u64::MAX.into(), "18446744073709551615");
        check(i128::MIN.into(), "-170141183460469231731687303715884105728");
        check(1.0.into(), "1.0");
        check(0.000_012_3.into(), "0.0000123");
        check(1.5e300.into(), "1.5e+300");
        check(f64::NAN.into(), "\"NaN\"");
        check(f64::NEG_INFINITY.into(), "\"-inf\"");
        check(vec![true, false].into(), "[true,false]");
    }

    #[test]
    fn nesting_is_bounded() {
        let mut deep = serde_json::json!(1);
        for _ in 0..1_000 {
            deep = serde_json::Value::Array(vec![deep]);
        }
        let line = written(|out| json(&deep, 1, out));
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok());
        assert!(line.contains(TOO_DEEP));
    }
}
