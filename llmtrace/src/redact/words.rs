//! Long words: keys by their form, tokens after `Bearer`, and base64.

use super::finding::Findings;
use super::shapes::{MAX_INNER_KEY_BYTES, MAX_KEY_BYTES};
use super::{MAX_DEPTH, base64, find_secrets, shapes, value};

/// Shortest word that is looked at, in bytes.
pub(super) const MIN_BYTES: usize = 16;

/// Longest part of a key before a `.`, such as `SG.`, in bytes.
const MAX_HEAD_BYTES: usize = 20;

/// Most parts of a word, between `/`, that are taken for base64.
const MAX_PARTS: usize = 8;

/// Most places inside a word that are held against the forms of keys.
const MAX_TRIES: usize = 64;

/// Characters of a Telegram bot's token after its number.
const TELEGRAM_CHARS: usize = 35;

/// Finds keys in the long words of a text.
pub(super) fn find(text: &str, depth: usize, findings: &mut Findings<'_>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    // Base64 is read once, not again at each `+` and `/` in it.
    let mut read_to = 0;
    while let Some((start, end)) = next_word(bytes, from) {
        from = end;
        let inside = skip_escape(bytes, start, end);
        if let Some(key_end) = find_key(bytes, inside, end, findings) {
            from = key_end.max(end);
            continue;
        }
        if follows_bearer(bytes, start) && value::has_digit(bytes.get(start..end).unwrap_or_default()) {
            let end = end_of_token(bytes, end);
            findings.add(start, end, "auth-header");
            from = end;
            continue;
        }
        if depth < MAX_DEPTH && inside >= read_to {
            read_to = find_in_base64(bytes, inside, end, depth, findings);
            from = from.max(read_to);
        }
    }
}

/// The next run of at least [`MIN_BYTES`] letters, digits, and what may stand between them in a key, in base64 or in an
/// address. Most bytes of prose are never looked at.
fn next_word(bytes: &[u8], mut from: usize) -> Option<(usize, usize)> {
    loop {
        let window = bytes.get(from..from + MIN_BYTES)?;
        if let Some(at) = last_blank(window) {
            from += at + 1;
            continue;
        }
        match window.iter().rposition(|byte| !is_word(*byte)) {
            Some(at) => from += at + 1,
            None => break,
        }
    }
    let rest = bytes.get(from + MIN_BYTES..)?;
    let more = rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
    Some((from, from + MIN_BYTES + more))
}

/// Where the last blank of a window is, or a `!` after it; only its last eight bytes are looked at, all at once.
fn last_blank(window: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const BLANKS: u64 = ONES * 0x20;
    let (before, half) = window.split_last_chunk::<8>()?;
    let zeroed = u64::from_le_bytes(*half) ^ BLANKS;
    // The highest bit of each byte that is zero, and of each byte of 1 above one.
    let zeros = zeroed.wrapping_sub(ONES) & !zeroed & (ONES << 7);
    (zeros != 0).then(|| before.len() + 7 - zeros.leading_zeros() as usize / 8)
}

const WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        word[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'%');
        byte += 1;
    }
    word
};

pub(super) fn is_word(byte: u8) -> bool {
    WORD.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Where a word begins that an escape runs into: `\nkey`, `\u0022key`, or a terminal's colour.
fn skip_escape(bytes: &[u8], start: usize, end: usize) -> usize {
    let before = |n: usize| start.checked_sub(n).and_then(|at| bytes.get(at)).copied();
    let word = bytes.get(start..end).unwrap_or_default();
    let escape = match (before(1), word) {
        (Some(b'\\'), [b'u', rest @ ..]) if rest.iter().take(4).all(u8::is_ascii_hexdigit) => 5,
        (Some(b'\\'), [b'x', rest @ ..]) if rest.iter().take(2).all(u8::is_ascii_hexdigit) => 3,
        (Some(b'\\'), [b'n' | b'r' | b't' | b'b' | b'f' | b'0', ..]) => 1,
        (Some(b'[' | b';'), _) => {
            let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let is_colour = digits <= 3 && word.get(digits) == Some(&b'm');
            if is_colour { digits + 1 } else { 0 }
        }
        _ => 0,
    };
    (start + escape).min(end)
}

/// Finds a key that begins with the word, inside it after a `-` or `_`, or before it where a `.` joins it. The end of it.
fn find_key(bytes: &[u8], start: usize, end: usize, findings: &mut Findings<'_>) -> Option<usize> {
    let mut add = |at: usize, max_bytes: usize| {
        let (rule, len) = shapes::key(bytes.get(at..)?, max_bytes)?;
        findings.add(at, at + len, rule);
        Some(at + len)
    };
    if start > 0 && bytes.get(start - 1) == Some(&b'.') {
        let mut head = start;
        while start - head < MAX_HEAD_BYTES
            && head > 0
            && bytes.get(head - 1).is_some_and(|byte| is_word(*byte) || *byte == b'.')
        {
            head -= 1;
            let begins = head == 0 || bytes.get(head - 1).is_some_and(|byte| !byte.is_ascii_alphanumeric());
            let inside = match bytes.get(head) {
                Some(b'%') => head + 3,
                _ if begins => skip_escape(bytes, head, start),
                _ => continue,
            };
            if let Some(end) = add(inside, MAX_INNER_KEY_BYTES) {
                return Some(end);
            }
        }
    }
    if let Some(end) = add(start, MAX_KEY_BYTES) {
        return Some(end);
    }
    let word = bytes.get(start..end)?;
    let mut tries = 0;
    for (at, byte) in word.iter().enumerate() {
        let inner = match byte {
            b'-' | b'_' | b'+' | b'/' => at + 1,
            b'%' => at + 3,
            _ => continue,
        };
        if word.get(inner..).is_some_and(shapes::begins) {
            if let Some(end) = add(start + inner, MAX_INNER_KEY_BYTES) {
                return Some(end);
            }
            tries += 1;
            if tries == MAX_TRIES {
                break;
            }
        }
    }
    find_odd_key(bytes, start, end, findings)
}

/// Finds a key that is not known by what it begins with, or that the end of the text cuts off.
fn find_odd_key(bytes: &[u8], start: usize, end: usize, findings: &mut Findings<'_>) -> Option<usize> {
    let mut from = start;
    for part in bytes.get(start..end)?.split(|byte| matches!(byte, b'/' | b'+' | b'%')) {
        let to = from + part.len();
        let is_escape = from > start && bytes.get(from - 1) == Some(&b'%') && part.len() > 2;
        let (at, part) = if is_escape { (from + 2, part.get(2..)?) } else { (from, part) };
        from = to + 1;
        if let Some(rule) = shapes::azure(part) {
            findings.add(at, to, rule);
            return Some(to);
        }
        if let Some(begin) = telegram(bytes, at, part) {
            findings.add(begin, to, "telegram-bot-api-token");
            return Some(to);
        }
        if end == bytes.len()
            && let Some(rule) = shapes::partial(part)
        {
            findings.add(at, end, rule);
            return Some(end);
        }
    }
    None
}

/// Where the token of a Telegram bot begins: a number, `:`, and 35 characters that begin with `AA`.
fn telegram(bytes: &[u8], start: usize, word: &[u8]) -> Option<usize> {
    if !word.starts_with(b"AA") || word.len() != TELEGRAM_CHARS {
        return None;
    }
    let before = bytes.get(..start)?;
    let before = before.strip_suffix(b":").or_else(|| before.strip_suffix(b"%3A"))?;
    let digits = before.iter().rev().take(11).take_while(|byte| byte.is_ascii_digit()).count();
    (8..=10).contains(&digits).then_some(before.len() - digits)
}

fn follows_bearer(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(start.saturating_sub(16)..start).unwrap_or_default();
    let before = before.strip_suffix(b"%20").unwrap_or(before).trim_ascii_end();
    let at = before.len().saturating_sub(6);
    before.len() < start.min(16) && before.get(at..).is_some_and(|word| word.eq_ignore_ascii_case(b"bearer"))
}

/// The end of a token that goes on after a word, by the characters that RFC 6750 gives it.
fn end_of_token(bytes: &[u8], end: usize) -> usize {
    let rest = bytes.get(end..).unwrap_or_default();
    let is_token = |byte: &u8| is_word(*byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'=');
    let more = rest.iter().take_while(|byte| is_token(byte)).count();
    let dots = rest.get(..more).unwrap_or_default().iter().rev().take_while(|byte| **byte == b'.').count();
    end + more - dots
}

/// Masks base64 that holds a secret, in a word or in a part of a path. Up to where it was read.
fn find_in_base64(
    bytes: &[u8],
    start: usize,
    end: usize,
    depth: usize,
    findings: &mut Findings<'_>,
) -> usize {
    let word = bytes.get(start..end).unwrap_or_default();
    let parts = memchr::memchr2_iter(b'/', b'%', word).take(MAX_PARTS);
    let parts = parts.map(|at| if word.get(at) == Some(&b'%') { at + 3 } else { at + 1 });
    let found = [0].into_iter().chain(parts).find_map(|at| {
        let (text, len) = base64::text(bytes.get(start + at..)?)?;
        Some((start + at, text, len))
    });
    let Some((start, text, len)) = found else { return 0 };
    let mut inside = Findings::default();
    find_secrets(&text, depth + 1, &mut inside);
    if let Some(rule) = inside.first_rule() {
        findings.add(start, start + len, rule);
    }
    start + len
}
