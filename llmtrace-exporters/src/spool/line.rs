//! One span as a line that says whether it is whole.

use llmtrace::SpanRecord;

use crate::jsonl::line::{read_line, write_line};

/// What stands before the eight hexadecimal digits of the checksum, and behind them.
const BEFORE: &[u8] = br#","crc32":""#;
const BEHIND: &[u8] = br#""}"#;
const DIGITS: usize = 8;

/// Writes the span as a line of version 1 whose last member is the checksum of the bytes before that member.
pub(super) fn write(span: &SpanRecord, out: &mut Vec<u8>) {
    let start = out.len();
    write_line(span, out);
    out.truncate(out.len().saturating_sub(b"}\n".len()));
    let digits = checksum(out.get(start..).unwrap_or_default());
    for part in [BEFORE, digits.as_bytes(), BEHIND, b"\n"] {
        out.extend_from_slice(part);
    }
}

/// Reads a line without its newline; `None` if it is not as it was written.
pub(super) fn read(line: &[u8]) -> Option<SpanRecord> {
    let (rest, digits) = line.strip_suffix(BEHIND)?.split_last_chunk::<DIGITS>()?;
    let covered = rest.strip_suffix(BEFORE)?;
    if checksum(covered).as_bytes() == digits { read_line(line).ok() } else { None }
}

fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn line() -> Vec<u8> {
        let mut line = Vec::new();
        write(&testing::span(1, 2, "chat"), &mut line);
        assert_eq!(line.pop(), Some(b'\n'));
        line
    }

    #[test]
    fn a_line_is_version_one_with_a_checksum_behind() {
        // The checksum as Python's `zlib.crc32` works it out.
        assert_eq!(
            String::from_utf8(line()).unwrap(),
            concat!(
                r#"{"v":1,"trace_id":"00000000000000000000000000000001","span_id":"0000000000000002","name":"chat","#,
                r#""kind":"span","start":"1970-01-01T00:00:00.000000000Z","end":"1970-01-01T00:00:00.000000000Z","#,
                r#""status":"unset","attributes":{},"crc32":"80de5545"}"#
            )
        );
        assert!(read_line(&line()).is_ok(), "any reader of lines reads it");
    }

    #[test]
    fn a_line_with_any_changed_bit_or_length_is_refused() {
        let line = line();
        let span = testing::span(1, 2, "chat");
        assert_eq!(read(&line), Some(span));
        for length in 0..line.len() {
            assert_eq!(read(&line[..length]), None, "{length}");
        }
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut changed = line.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(read(&changed), None, "byte {at}, bit {bit}");
            }
        }
        assert_eq!(read(&[&line[..], &line[..]].concat()), None, "two lines glued together");
    }
}
