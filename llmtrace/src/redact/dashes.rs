//! Secrets behind flags (`--password x`), in armour (`-----BEGIN PRIVATE KEY-----`) and between tags (`<password>x</password>`).

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::assigned::BY_NAME;
use super::finding::Findings;
use super::names::{self, Meaning};
use super::{SHORT_BYTES, value};

/// Longest name of a flag or a tag that is looked at, in bytes.
const MAX_NAME_BYTES: usize = 48;

/// Longest value that is looked at, in bytes.
const MAX_VALUE_BYTES: usize = 512;

/// Longest private key in armour, in bytes.
const MAX_ARMOUR_BYTES: usize = 32 * 1024;

static TWO_DASHES: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("--"));
static CLOSING_TAG: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("</"));

/// What armour begins and ends with, and the word before its last dashes that makes it a secret.
const BEGIN: &[u8] = b"-----BEGIN";
const END: &[u8] = b"-----END";
const PRIVATE: &[u8] = b"PRIVATE";

/// Finds secrets behind dashes and between tags.
pub(super) fn find(text: &str, findings: &mut Findings<'_>) {
    let bytes = text.as_bytes();
    let begins = |pair: &[u8]| pair == b"--" || pair == b"</";
    if bytes.len() <= SHORT_BYTES && !bytes.windows(2).any(begins) {
        // The searches below take longer to begin than to look at this.
        return;
    }
    find_dashes(bytes, findings);
    for at in CLOSING_TAG.find_iter(bytes) {
        find_tagged(bytes, at, findings);
    }
}

fn find_dashes(bytes: &[u8], findings: &mut Findings<'_>) {
    let mut from = 0;
    // Where the next armour ends, so that many beginnings without an end cost one search.
    let mut armour_end = None;
    while let Some(found) = bytes.get(from..).and_then(|rest| TWO_DASHES.find(rest)) {
        let at = from + found;
        let rest = bytes.get(at..).unwrap_or_default();
        let dashes = rest.iter().take_while(|byte| **byte == b'-').count();
        from = at + dashes;
        if dashes == 2 {
            find_flag(bytes, from, findings);
        } else if let Some(begin) = dashes.checked_sub(5).and_then(|more| rest.get(more..))
            && is_private_key(begin)
        {
            let at = from - 5;
            let end = *armour_end.get_or_insert_with(|| next_end(bytes, at));
            let end = if end.is_some_and(|end| end < at) { next_end(bytes, at) } else { end };
            armour_end = Some(end);
            let end =
                end.filter(|end| end - at <= MAX_ARMOUR_BYTES).unwrap_or_else(|| end_of_base64(bytes, at));
            findings.add(at, end, "private-key");
            from = end.max(from);
        }
    }
}

fn is_private_key(begin: &[u8]) -> bool {
    let line = begin.get(..MAX_NAME_BYTES + BEGIN.len()).unwrap_or(begin);
    line.strip_prefix(BEGIN).is_some_and(|name| {
        let len = name
            .iter()
            .take_while(|byte| {
                byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'%' | b'+')
            })
            .count();
        name.get(..len).is_some_and(|name| memmem::find(name, PRIVATE).is_some())
    })
}

/// Where the first armour ends that ends after `at`.
fn next_end(bytes: &[u8], at: usize) -> Option<usize> {
    let end = at + memmem::find(bytes.get(at..)?, END)? + END.len();
    let rest = bytes.get(end..)?;
    let name = rest.iter().take(MAX_NAME_BYTES).take_while(|byte| **byte != b'-' && **byte != b'\n').count();
    let dashes = rest.get(name..)?.iter().take(5).take_while(|byte| **byte == b'-').count();
    Some(end + name + dashes)
}

/// Where armour ends that was cut off: after the last line of base64.
fn end_of_base64(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at + BEGIN.len()..).unwrap_or_default();
    let name = rest.iter().take(MAX_NAME_BYTES).take_while(|byte| **byte != b'-').count();
    let start = at + BEGIN.len() + name;
    let body = bytes.get(start..).unwrap_or_default();
    let is_body = |byte: &u8| byte.is_ascii_alphanumeric() || b"-+/=\\\r\n:,%".contains(byte);
    start + body.iter().take_while(|byte| is_body(byte)).count()
}

/// A value after a flag and a blank.
fn find_flag(bytes: &[u8], start: usize, findings: &mut Findings<'_>) {
    let rest = bytes.get(start..).unwrap_or_default();
    let rest = rest.get(..MAX_NAME_BYTES + MAX_VALUE_BYTES).unwrap_or(rest);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let len = rest.iter().take(MAX_NAME_BYTES).take_while(|byte| is_name(byte)).count();
    let Some(name) = rest.get(..len) else { return };
    let Some(b' ') = rest.get(len) else { return };
    let Some(meaning @ (Meaning::Secret | Meaning::Perhaps)) = names::meaning(name) else { return };
    let mut at = len;
    while rest.get(at).is_some_and(|byte| matches!(byte, b' ' | b'"' | b'\'' | b'\\')) {
        at += 1;
    }
    let is_quoted = rest.get(len..at).is_some_and(|between| between.iter().any(|byte| *byte != b' '));
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'\\`;|&)".contains(byte);
    let value = rest.get(at..).unwrap_or_default();
    let value = value.get(..value.iter().position(ends).unwrap_or(value.len())).unwrap_or_default();
    let is_secret = match meaning {
        Meaning::Secret => is_quoted || value.len() >= 4 && value::is_unlike_a_word(value),
        _ => value::is_random(value),
    };
    if is_secret && !value.starts_with(b"-") && !value::is_stand_in(value) {
        findings.add(start + at, start + at + value.len(), BY_NAME);
    }
}

/// The text before a closing tag.
fn find_tagged(bytes: &[u8], at: usize, findings: &mut Findings<'_>) {
    let rest = bytes.get(at + 2..).unwrap_or_default();
    let Some(len) = rest.iter().take(MAX_NAME_BYTES).position(|byte| *byte == b'>') else { return };
    if !matches!(rest.get(..len).and_then(names::meaning), Some(Meaning::Secret)) {
        return;
    }
    let before = bytes.get(at.saturating_sub(MAX_VALUE_BYTES)..at).unwrap_or_default();
    let Some(open) = memchr::memrchr(b'>', before) else { return };
    let value = before.get(open + 1..).unwrap_or_default();
    let blanks = value.iter().filter(|byte| byte.is_ascii_whitespace()).count();
    if blanks == 0 && !value::is_stand_in(value) {
        findings.add(at - value.len(), at, BY_NAME);
    }
}
