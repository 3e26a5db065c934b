//! Texts inside base64.

/// The value of a character of base64, in either alphabet; [`NONE`] for any other.
const VALUES: [u8; 256] = values();
const NONE: u8 = 64;

/// Characters that tell whether base64 may hold a text: twelve bytes of it.
const PROBE_CHARS: usize = 16;

/// Shortest base64 that is read, in characters.
const MIN_CHARS: usize = 24;

/// Longest base64 that is read, in characters.
const MAX_CHARS: usize = 64 * 1024;

const fn values() -> [u8; 256] {
    let alphabet = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NONE; 256];
    let mut value = 0_u8;
    while value < NONE {
        values[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
}

fn value(byte: u8) -> Option<u32> {
    VALUES.get(usize::from(byte)).copied().filter(|value| *value < NONE).map(u32::from)
}

/// How long the base64 is that `bytes` begin with, without its padding.
pub(super) fn len(bytes: &[u8]) -> usize {
    bytes.iter().take(MAX_CHARS).take_while(|byte| value(**byte).is_some()).count()
}

/// The text in the base64 that `bytes` begin with, and how long that base64 is with its padding; `None` unless it
/// begins as a text.
pub(super) fn text(bytes: &[u8]) -> Option<(String, usize)> {
    let mut probe = [0; PROBE_CHARS];
    probe.copy_from_slice(bytes.get(..PROBE_CHARS)?);
    for four in probe.chunks_exact(4) {
        if !decode(four)?.iter().all(|byte| is_text(*byte)) {
            return None;
        }
    }
    let len = len(bytes);
    if len < MIN_CHARS {
        return None;
    }
    let chars = bytes.get(..len)?;
    let mut decoded = Vec::with_capacity(len / 4 * 3 + 3);
    for four in chars.chunks(4) {
        decoded.extend_from_slice(decode(four)?.get(..four.len() * 3 / 4)?);
    }
    let text = match String::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            String::from_utf8(bytes).ok()?
        }
    };
    let padding = bytes.get(len..)?.iter().take(2).take_while(|byte| **byte == b'=').count();
    Some((text, len + padding))
}

/// The three bytes of four characters; fewer characters are filled up with zeros.
fn decode(four: &[u8]) -> Option<[u8; 3]> {
    let mut bits = 0_u32;
    for n in 0..4 {
        bits = bits << 6 | four.get(n).map_or(Some(0), |byte| value(*byte))?;
    }
    let [_, bytes @ ..] = bits.to_be_bytes();
    Some(bytes)
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_other_bytes_are_not() {
        let check = |input: &str, expected: Option<(&str, usize)>| {
            assert_eq!(text(input.as_bytes()), expected.map(|(text, len)| (text.to_owned(), len)), "{input}");
        };
        check("YWRtaW46aHVudGVyMi1hbmQtbW9yZQ==", Some(("admin:hunter2-and-more", 32)));
        check("YWRtaW46aHVudGVyMi1hbmQtbW9yZQ rest", Some(("admin:hunter2-and-more", 30)));
        check("YWRtaW46aHVudGVy", None);
        check("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", None);
        check("6f1ed002ab5595859014ebf0951522d9", None);
        check("short", None);
    }
}
