//! Values that are assigned to names which mean a secret: JSON, environment files, code, YAML, headers, addresses.

use super::finding::{Findings, MARK};
use super::names::{self, Meaning};
use super::{address, value};

/// What names the rule for a value that is known by its name.
pub(super) const BY_NAME: &str = "generic-api-key";

/// Longest name that is looked at, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Longest value that is looked at, in bytes.
const MAX_VALUE_BYTES: usize = 4096;

/// Shortest value that is a secret, in bytes: HTML's `accesskey="n"` names a key of the keyboard.
const MIN_VALUE_BYTES: usize = 2;

/// Most blanks, quotes and brackets between a name and its sign, and between the sign and the value.
const MAX_BETWEEN: usize = 8;

/// Most blanks in a quoted secret: with more of them it is a sentence.
const MAX_BLANKS: usize = 5;

/// Finds values by the `=` or `:` before them.
pub(super) fn find(text: &str, findings: &mut Findings<'_>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for at in memchr::memchr2_iter(b'=', b':', bytes) {
        if at < from {
            continue;
        }
        if bytes.get(at..).is_some_and(|rest| rest.starts_with(b"://")) {
            from = address::find(bytes, at, findings);
            continue;
        }
        if bytes.get(at.saturating_sub(1)..=at) == Some(b"::") {
            // A path of code.
            continue;
        }
        let named = Name::before(bytes, at);
        let named = named.and_then(|name| names::meaning(name.text).map(|meaning| (name, meaning)));
        let found = match named {
            Some((name, meaning)) => secret(bytes, at, &name, meaning),
            None => curl_user(bytes, at),
        };
        if let Some((start, end, rule)) = found {
            findings.add(start, end, rule);
            from = end;
        }
    }
}

/// The name before a sign.
struct Name<'t> {
    text: &'t [u8],
    is_parameter: bool,
    is_flag: bool,
    /// There is nothing between it and the sign.
    is_close: bool,
}

impl<'t> Name<'t> {
    fn before(bytes: &'t [u8], sign: usize) -> Option<Self> {
        let before = bytes.get(..sign)?;
        let before = before.strip_suffix(b"&quot;").unwrap_or(before);
        let between = |byte: &u8| {
            matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b']' | b'*' | b'?' | b':')
        };
        let skipped = before.iter().rev().take(MAX_BETWEEN).take_while(|byte| between(byte)).count();
        let before = before.get(..before.len() - skipped)?;
        if !names::may_mean(before) {
            return None;
        }
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ');
        let len = before.iter().rev().take(MAX_NAME_BYTES).take_while(|byte| is_name(byte)).count();
        let start = before.len() - len;
        if before.get(..start)?.ends_with(MARK.as_bytes()) {
            // The name of a rule, in the place of what was masked.
            return None;
        }
        let mut text = before.get(start..)?.trim_ascii_start();
        // Of a sentence, the last two words.
        let mut blanks = text.iter().enumerate().rev().filter(|(_, byte)| **byte == b' ').map(|(at, _)| at);
        if let Some(at) = blanks.nth(1) {
            text = text.get(at + 1..).unwrap_or(text);
        }
        let outside = start.checked_sub(1).and_then(|at| bytes.get(at));
        let is_parameter = matches!(outside, Some(b'?' | b'&' | b'#')) && !text.contains(&b' ')
            || outside == Some(&b';') && before.get(..start)?.ends_with(b"&amp;")
            || text.starts_with(b"u0026") && outside == Some(&b'\\');
        Some(Self { text, is_parameter, is_flag: last_of(text).starts_with(b"--"), is_close: skipped == 0 })
    }

    /// Written as the names of an environment are.
    fn is_environment(&self) -> bool {
        self.is_close && !last_of(self.text).iter().any(u8::is_ascii_lowercase)
    }
}

/// The last of words with blanks between them.
fn last_of(words: &[u8]) -> &[u8] {
    words.rsplit(|byte| *byte == b' ').next().unwrap_or_default()
}

/// The value behind a sign.
struct Assigned<'t> {
    start: usize,
    text: &'t [u8],
    is_quoted: bool,
    /// The quote was closed.
    is_closed: bool,
    /// What comes after it.
    next: Option<u8>,
}

impl<'t> Assigned<'t> {
    fn after(bytes: &'t [u8], sign: usize) -> Option<Self> {
        let mut at = sign + 1;
        if bytes.get(sign) == Some(&b':') && bytes.get(at) == Some(&b':') {
            // A path of code.
            return None;
        }
        let skip = |at: usize, what: fn(&u8) -> bool| {
            let rest = bytes.get(at..).unwrap_or_default();
            at + rest.iter().take(MAX_BETWEEN).take_while(|byte| what(byte)).count()
        };
        at = skip(at, |byte| matches!(byte, b'=' | b'>'));
        at = skip(at, |byte| matches!(byte, b' ' | b'\t' | b'*'));
        for wrapper in [&b"Some("[..], b"b\"", b"b'", b"r\"", b"f\"", b"f'", b"u'", b"@\"", b"b\\\""] {
            if bytes.get(at..)?.starts_with(wrapper) {
                at += wrapper
                    .iter()
                    .position(|byte| matches!(byte, b'"' | b'\'' | b'\\'))
                    .unwrap_or(wrapper.len());
                break;
            }
        }
        let escapes = bytes.get(at..)?.iter().take(MAX_BETWEEN).take_while(|byte| **byte == b'\\').count();
        if let Some(quote) =
            bytes.get(at + escapes).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))
        {
            return Self::quoted(bytes, at + escapes + 1, quote, escapes > 0);
        }
        if bytes.get(at..)?.starts_with(b"&quot;") {
            let start = at + b"&quot;".len();
            let rest = window(bytes, start)?;
            let len = memchr::memmem::find(rest, b"&quot;").unwrap_or(rest.len());
            return Some(Self {
                start,
                text: rest.get(..len)?,
                is_quoted: true,
                is_closed: true,
                next: None,
            });
        }
        let rest = window(bytes, at)?;
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`,;&<>|(){}[]\\".contains(byte);
        let len = rest.iter().position(ends).unwrap_or(rest.len());
        Some(Self {
            start: at,
            text: rest.get(..len)?,
            is_quoted: false,
            is_closed: true,
            next: rest.get(len).copied().filter(|_| !closes_tag(rest, len)),
        })
    }

    fn quoted(bytes: &'t [u8], mut start: usize, quote: u8, is_escaped: bool) -> Option<Self> {
        if bytes.get(start..)?.starts_with(&[quote, quote]) {
            start += 2;
        }
        let rest = window(bytes, start)?;
        let mut len = 0;
        while let Some(byte) = rest.get(len).copied() {
            match byte {
                b'\n' => break,
                b'\\' if !is_escaped => len += 1,
                byte if byte == quote => break,
                _ => {}
            }
            len += 1;
        }
        let is_closed = rest.get(len) == Some(&quote);
        let text = rest.get(..len.min(rest.len()))?;
        let escapes =
            if is_escaped { text.iter().rev().take_while(|byte| **byte == b'\\').count() } else { 0 };
        Some(Self { start, text: text.get(..text.len() - escapes)?, is_quoted: true, is_closed, next: None })
    }

    /// Whether what is between quotes is a value, and not what follows a text that ends with the name.
    fn is_between_quotes(&self) -> bool {
        match self.text {
            [b',' | b')' | b']' | b'}' | b':', ..] => false,
            _ => self.blanks() <= MAX_BLANKS && (self.is_closed || value::is_unlike_a_word(self.text)),
        }
    }

    fn blanks(&self) -> usize {
        memchr::memchr_iter(b' ', self.text).count()
    }
}

/// Whether a tag of XML closes there: what stands before it is a text, and no code.
fn closes_tag(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(b"</"))
}

fn window(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let rest = bytes.get(start..)?;
    Some(rest.get(..MAX_VALUE_BYTES).unwrap_or(rest))
}

/// Where the secret is that is assigned, and the rule for it.
fn secret(
    bytes: &[u8],
    sign: usize,
    name: &Name<'_>,
    meaning: Meaning,
) -> Option<(usize, usize, &'static str)> {
    let found = Assigned::after(bytes, sign)?;
    if meaning == Meaning::Authorization {
        let (from, to) = in_header(bytes, &found)?;
        return Some((from, to, "auth-header"));
    }
    let text = if found.is_quoted { found.text } else { trim_end(found.text) };
    let end = found.start + text.len();
    if text.len() < MIN_VALUE_BYTES || value::is_stand_in(text) {
        return None;
    }
    if name.is_parameter && !found.is_quoted {
        let is_secret = match meaning {
            Meaning::Secret => true,
            _ => text.len() >= 8 && value::is_unlike_a_word(text),
        };
        return is_secret.then_some((found.start, end, "url-parameter"));
    }
    let is_secret = match meaning {
        Meaning::Secret if found.is_quoted => found.is_between_quotes(),
        Meaning::Secret => is_secret_word(bytes, sign, name, &found, text),
        Meaning::Signature | Meaning::Authorization => false,
        Meaning::Perhaps => is_perhaps_secret(name.text, text) && (found.is_quoted || !goes_on(&found)),
    };
    is_secret.then_some((found.start, end, BY_NAME))
}

/// Whether a value without quotes is a secret, and not an expression of code or a word of prose.
fn is_secret_word(bytes: &[u8], sign: usize, name: &Name<'_>, found: &Assigned<'_>, text: &[u8]) -> bool {
    let is_equals = bytes.get(sign) == Some(&b'=');
    if name.text.to_ascii_lowercase().ends_with(b"pwd") && text.starts_with(b"/") {
        // The directory that a shell is in.
        return false;
    }
    if is_equals && found.start == sign + 1 && (name.is_environment() || name.is_flag) {
        return !goes_on(found);
    }
    let is_header = !is_equals && last_of(name.text).contains(&b'-');
    let is_listed = matches!(found.next, Some(b',' | b')')) && !is_equals;
    found.text.len() >= if is_header { 4 } else { 6 }
        && (is_header || value::is_unlike_a_word(text) && !is_listed)
        && !goes_on(found)
}

/// Whether a value is a secret that stands under a name which may mean one.
pub(super) fn is_perhaps_secret(name: &[u8], text: &[u8]) -> bool {
    let is_key = name.get(name.len().saturating_sub(3)..).is_some_and(|end| end.eq_ignore_ascii_case(b"key"));
    if is_key { value::is_random_key(text) } else { value::is_random(text) }
}

/// Whether what comes after a value shows that it is code.
fn goes_on(found: &Assigned<'_>) -> bool {
    matches!(found.next, Some(b'(' | b'[' | b'{' | b'<'))
}

/// A value without the marks of the sentence that it ends.
fn trim_end(text: &[u8]) -> &[u8] {
    let len = text.iter().rposition(|byte| !b".,:;".contains(byte)).map_or(0, |at| at + 1);
    text.get(..len).unwrap_or_default()
}

/// The secret in the value of an `Authorization` header: what follows the scheme.
fn in_header(bytes: &[u8], found: &Assigned<'_>) -> Option<(usize, usize)> {
    let line = if found.is_quoted { found.text } else { line(bytes, found.start)? };
    let (start, end) = in_authorization(line)?;
    let text = line.get(start..end)?;
    // Prose speaks of bearer tokens, too.
    let is_secret =
        found.is_quoted && !text.contains(&b' ') || value::is_unlike_a_word(text) || end - start >= 32;
    is_secret.then_some((found.start + start, found.start + end))
}

/// Where the secret is in the value of an `Authorization` header.
pub(super) fn in_authorization(header: &[u8]) -> Option<(usize, usize)> {
    let word = header.iter().position(|byte| *byte == b' ');
    let scheme = header.get(..word.unwrap_or_default())?;
    let is_scheme = (2..=24).contains(&scheme.len())
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let mut start = if is_scheme { scheme.len() + 1 } else { 0 };
    while header.get(start) == Some(&b' ') {
        start += 1;
    }
    let rest = header.get(start..)?;
    let is_list = scheme.eq_ignore_ascii_case(b"digest")
        || scheme.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"aws4"));
    let len = if is_list { None } else { rest.iter().position(|byte| matches!(byte, b' ' | b',' | b';')) };
    let text = rest.get(..len.unwrap_or(rest.len()))?;
    (!value::is_stand_in(text)).then_some((start, start + text.len()))
}

fn line(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let rest = window(bytes, start)?;
    let len = rest
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'\\' | b'<' | b'}'));
    rest.get(..len.unwrap_or(rest.len()))
}

/// The password in `curl -u user:password`.
fn curl_user(bytes: &[u8], colon: usize) -> Option<(usize, usize, &'static str)> {
    let is_user = |byte: &u8| !byte.is_ascii_whitespace() && !b"\"'=\\".contains(byte);
    if bytes.get(colon) != Some(&b':')
        || !colon.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(is_user)
    {
        return None;
    }
    let before = bytes.get(colon.saturating_sub(MAX_NAME_BYTES)..colon)?;
    let user = before.iter().rev().take_while(|byte| is_user(byte)).count();
    let before = before.get(..before.len() - user)?;
    let flag = before.trim_ascii_end();
    let quoted =
        [&b"\\\""[..], b"\"", b"'"].into_iter().find_map(|quote| Some((flag.strip_suffix(quote)?, quote)));
    let flag = quoted.map_or(before, |(flag, _)| flag).trim_ascii_end();
    let flag = flag.strip_suffix(b"=").unwrap_or(flag);
    if !(flag.ends_with(b" -u") || flag.ends_with(b" --user") || flag.ends_with(b" --proxy-user")) {
        return None;
    }
    let rest = window(bytes, colon + 1)?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`\\".contains(byte);
    // Between quotes a password may have blanks.
    let line = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let closing = quoted.and_then(|(_, quote)| memchr::memmem::find(rest.get(..line)?, quote));
    let len = closing.or_else(|| rest.iter().position(ends)).unwrap_or(rest.len());
    (!value::is_stand_in(rest.get(..len)?)).then_some((colon + 1, colon + 1 + len, "curl-auth-user"))
}
