//! Credentials in addresses.

use super::finding::Findings;
use super::value;

/// Longest part of an address that is looked at, in bytes.
const MAX_BYTES: usize = 512;

/// Fewest characters of a user that is a token.
const MIN_TOKEN_CHARS: usize = 16;

/// Addresses whose path is a secret, and what it begins with.
const WEBHOOKS: &[(&str, &str)] = &[
    ("hooks.slack.com", "/services/"),
    ("hooks.slack.com", "/workflows/"),
    ("discord.com", "/api/webhooks/"),
    ("discordapp.com", "/api/webhooks/"),
    ("webhook.office.com", "/webhookb2/"),
    ("outlook.office.com", "/webhook/"),
];

/// Finds what is secret in an address, by the `:` of its `://`. Where to go on.
pub(super) fn find(bytes: &[u8], colon: usize, findings: &mut Findings<'_>) -> usize {
    let start = colon + 3;
    let rest = bytes.get(start..).unwrap_or_default();
    let rest = rest.get(..MAX_BYTES).unwrap_or(rest);
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/?#\"'<>`\\".contains(byte);
    let len = rest.iter().position(ends).unwrap_or(rest.len());
    let authority = rest.get(..len).unwrap_or_default();
    let host = match memchr::memrchr(b'@', authority) {
        Some(at) => {
            find_user(bytes, start, start + at, findings);
            authority.get(at + 1..).unwrap_or_default()
        }
        None => authority,
    };
    let path = rest.get(len..).unwrap_or_default();
    for (webhook, prefix) in WEBHOOKS {
        if host.ends_with(webhook.as_bytes()) && path.starts_with(prefix.as_bytes()) {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b"?#\"'<>`\\),]".contains(byte);
            let secret = path.get(prefix.len()..).unwrap_or_default();
            let secret_len = secret.iter().position(ends).unwrap_or(secret.len());
            if secret.get(..secret_len).is_some_and(value::has_digit) {
                let from = start + len + prefix.len();
                findings.add(from, from + secret_len, "webhook-url");
            }
        }
    }
    start + len
}

/// The password, or the token that stands in the user's place.
fn find_user(bytes: &[u8], start: usize, end: usize, findings: &mut Findings<'_>) {
    let user = bytes.get(start..end).unwrap_or_default();
    match memchr::memchr(b':', user) {
        Some(colon) => {
            let password = user.get(colon + 1..).unwrap_or_default();
            if !value::is_stand_in(password) {
                findings.add(start + colon + 1, end, "url-credentials");
            } else if password.is_empty() && value::is_random(user.get(..colon).unwrap_or_default()) {
                findings.add(start, start + colon, "url-credentials");
            }
        }
        None if user.len() >= MIN_TOKEN_CHARS && value::is_random(user) => {
            findings.add(start, end, "url-credentials");
        }
        None => {}
    }
}
