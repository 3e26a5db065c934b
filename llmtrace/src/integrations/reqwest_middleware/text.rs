//! Errors in words, without the secrets that a URL may hold.

use std::error::Error;

/// Most sources of an error that are named.
const MAX_SOURCES: usize = 8;

/// An error and what caused it, without the query strings and user info of URLs.
pub(super) fn of_error(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    for _ in 0..MAX_SOURCES {
        let Some(error) = source else { break };
        let cause = error.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    without_secrets(&text)
}

/// The text with each URL in it cut to scheme, host and path.
fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find([' ', ')', '"', '\'', '>', '\n', '\t']).unwrap_or(after.len());
        let (url, left) = after.split_at(end);
        let authority_end = url.find(['/', '?', '#']).unwrap_or(url.len());
        let (authority, path) = url.split_at(authority_end);
        out.push_str(authority.rsplit('@').next().unwrap_or_default());
        out.push_str(path.split(['?', '#']).next().unwrap_or_default());
        rest = left;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_what_may_be_secret() {
        let check = |text, expected| assert_eq!(without_secrets(text), expected);
        check(
            "error sending request for url (https://u:p@h.example:8/v1/x?key=SECRET#f): refused",
            "error sending request for url (https://h.example:8/v1/x): refused",
        );
        check("http://h?key=SECRET", "http://h");
        check("a \"http://u@h/p\" and https://b/?q", "a \"http://h/p\" and https://b/");
        check("no url, no ?change", "no url, no ?change");
        check("://", "://");
    }
}
