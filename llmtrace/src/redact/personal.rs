//! Personal data: e-mail addresses, card numbers, IBANs.

use super::finding::Findings;

/// Fewest and most digits of a card's number (ISO/IEC 7812).
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Longest local part of an e-mail address, and longest host, in bytes (RFC 5321, section 4.5.3.1).
const MAX_LOCAL_BYTES: usize = 64;
const MAX_HOST_BYTES: usize = 255;

/// Countries and the length of their IBANs (SWIFT's IBAN registry).
const IBAN_CHARS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
];

/// Finds personal data.
pub(super) fn find(text: &str, findings: &mut Findings<'_>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for at in memchr::memchr_iter(b'@', bytes) {
        let found = if is_of_url(bytes, at) { None } else { email(bytes, at) };
        if let Some((start, end)) = found.filter(|(start, _)| *start >= from) {
            findings.add(start, end, "email");
            from = end;
        }
    }
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let begins = byte.is_ascii_alphanumeric()
            && !at.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(|byte| is_inside(*byte));
        let found = match byte {
            b'0'..=b'9' if begins => card(bytes, at).map(|end| (end, "credit-card")),
            b'A'..=b'Z' if begins => iban(bytes, at).map(|end| (end, "iban")),
            _ => None,
        };
        if let Some((end, rule)) = found {
            findings.add(at, end, rule);
            at = end;
        } else {
            at += 1;
        }
    }
}

/// Whether a number or a word goes on from this byte.
fn is_inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// Whether an `@` parts the user from the host of a URL, as in `postgres://user:password@host`.
fn is_of_url(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(at.saturating_sub(MAX_LOCAL_BYTES)..at).unwrap_or_default();
    let user = before.iter().rposition(|byte| *byte == b'/' || byte.is_ascii_whitespace());
    user.is_some_and(|slash| before.get(..=slash).is_some_and(|before| before.ends_with(b"://")))
}

/// An address around an `@`: a local part, and a host with a dot and a top level of letters.
fn email(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let is_local =
        |byte: &u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(byte) || *byte >= 0x80;
    let before = bytes.get(..at)?;
    let len = before.iter().rev().take(MAX_LOCAL_BYTES).take_while(|byte| is_local(byte)).count();
    let local = before.get(at - len..)?;
    // Quotes and signs of the text around it.
    let skip = local.iter().position(|byte| byte.is_ascii_alphanumeric() || *byte >= 0xC0)?;
    let skip = skip.max(
        local
            .iter()
            .rposition(|byte| matches!(byte, b'=' | b'\'' | b'/' | b'`' | b'|'))
            .map_or(0, |at| at + 1),
    );
    if skip >= len {
        return None;
    }
    let after = bytes.get(at + 1..)?;
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let len_host = after.iter().take(MAX_HOST_BYTES).take_while(|byte| is_host(byte)).count();
    let host = after.get(..len_host)?;
    let host = host.get(..host.iter().rposition(u8::is_ascii_alphanumeric)? + 1)?;
    let dot = memchr::memrchr(b'.', host)?;
    let top = host.get(dot + 1..)?;
    let is_address =
        dot > 0 && top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic) && !host.starts_with(b".");
    is_address.then_some((at - len + skip, at + 1 + host.len()))
}

/// The end of a card's number: digits in groups, a first digit that an issuer has, and the check digit right.
fn card(bytes: &[u8], start: usize) -> Option<usize> {
    let mut digits = [0_u8; 20];
    let (mut len, mut at, mut end) = (0, start, start);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(len)? = byte - b'0';
                len += 1;
                end = at + 1;
            }
            b' ' | b'-' if at == end && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {}
            _ => break,
        }
        at += 1;
    }
    let digits = digits.get(..len)?;
    let goes_on = bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        || bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    let has_issuer = match digits {
        [3..=6, ..] => true,
        [2, 2..=7, ..] => len == 16,
        _ => false,
    };
    (CARD_DIGITS.contains(&len) && has_issuer && !goes_on && is_luhn(digits)).then_some(end)
}

/// The check of ISO/IEC 7812-1, annex B.
fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| match u32::from(*digit) * weight {
            more @ 10.. => more - 9,
            less => less,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// The end of an IBAN, with or without blanks between its groups.
fn iban(bytes: &[u8], start: usize) -> Option<usize> {
    let country = bytes.get(start..start + 2)?;
    let (_, chars) = IBAN_CHARS.iter().find(|(name, _)| country == *name)?;
    let (mut found, mut at, mut remainder) = (0, start, 0_u32);
    let mut head = [0_u8; 4];
    while found < *chars {
        let byte = *bytes.get(at)?;
        at += 1;
        if byte == b' ' && found > 0 && found % 4 == 0 {
            continue;
        }
        if !(byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
            return None;
        }
        match head.get_mut(found) {
            Some(slot) => *slot = byte,
            None => remainder = remainder_with(remainder, byte),
        }
        found += 1;
    }
    let remainder = head.iter().fold(remainder, |remainder, byte| remainder_with(remainder, *byte));
    let goes_on = bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    (remainder == 1 && !goes_on).then_some(at)
}

/// The remainder by 97 of a number that goes on with a character (ISO 13616: letters are 10 to 35).
fn remainder_with(remainder: u32, byte: u8) -> u32 {
    match byte {
        b'A'..=b'Z' => (remainder * 100 + u32::from(byte - b'A') + 10) % 97,
        _ => (remainder * 10 + u32::from(byte.wrapping_sub(b'0'))) % 97,
    }
}
