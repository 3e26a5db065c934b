//! Who may ask, where not everybody of this computer may.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::{constant_time, hmac};
use axum::http::{HeaderMap, header};

/// A token that every request must show: as `Authorization: Bearer`, or as the cookie that the login page gives for it.
#[derive(Debug)]
pub(crate) struct Token {
    key: hmac::Key,
    expected: hmac::Tag,
    cookie: String,
    cookie_name: String,
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

/// What came of looking for the token in a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shown {
    /// It is there.
    Right,
    /// It is not there, or another.
    Wrong,
    /// Too many wrong ones came from there lately.
    TooMany,
}

/// Wrong tokens of one address since `since`.
#[derive(Clone, Copy, Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

/// Shortest token that is taken, in bytes: shorter ones can be guessed.
pub(crate) const MIN_BYTES: usize = 16;

/// Wrong tokens that an address may show a minute.
const MAX_FAILURES: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);

/// Addresses that are remembered.
const MAX_ADDRESSES: usize = 10_000;

/// What the cookie is made of beside the token.
const COOKIE_PURPOSE: &[u8] = b"llmtrace page";

/// Seconds that a browser keeps the cookie: 30 days.
const COOKIE_SECONDS: u32 = 30 * 86_400;

impl Token {
    /// `token` is what must be shown; `port` tells the cookies of two servers on one host apart.
    pub(crate) fn new(token: &str, port: u16) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
        let expected = hmac::sign(&key, token.as_bytes());
        let cookie = hex(hmac::sign(&key, COOKIE_PURPOSE).as_ref());
        Self {
            key,
            expected,
            cookie,
            cookie_name: format!("llmtrace-{port}"),
            failures: Mutex::new(HashMap::new()),
        }
    }

    /// Looks for the token in the headers of a request from `peer`.
    pub(crate) fn look(&self, headers: &HeaderMap, peer: IpAddr) -> Shown {
        if self.is_in_cookie(headers) {
            return Shown::Right;
        }
        match bearer(headers) {
            Some(given) => self.try_token(given, peer),
            // Nothing was guessed.
            None => Shown::Wrong,
        }
    }

    /// Compares a token that `peer` shows.
    pub(crate) fn try_token(&self, given: &str, peer: IpAddr) -> Shown {
        if self.has_failed_often(peer) {
            return Shown::TooMany;
        }
        // What is compared has the same length whatever was given, and says nothing of how near it is.
        let given = hmac::sign(&self.key, given.as_bytes());
        if constant_time::verify_slices_are_equal(given.as_ref(), self.expected.as_ref()).is_ok() {
            return Shown::Right;
        }
        self.note_failure(peer);
        Shown::Wrong
    }

    /// The `Set-Cookie` header for who has shown the token.
    pub(crate) fn set_cookie(&self) -> String {
        let (name, value) = (&self.cookie_name, &self.cookie);
        format!("{name}={value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict")
    }

    /// The `Set-Cookie` header that takes the cookie away.
    pub(crate) fn clear_cookie(&self) -> String {
        format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict", self.cookie_name)
    }

    fn is_in_cookie(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| {
            let is_equal = constant_time::verify_slices_are_equal(value.as_bytes(), self.cookie.as_bytes());
            name == self.cookie_name && is_equal.is_ok()
        })
    }

    fn has_failed_often(&self, peer: IpAddr) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures
            .get(&peer)
            .is_some_and(|failed| failed.count >= MAX_FAILURES && failed.since.elapsed() < WINDOW)
    }

    fn note_failure(&self, peer: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_ADDRESSES {
            failures.retain(|_, failed| failed.since.elapsed() < WINDOW);
        }
        if failures.len() >= MAX_ADDRESSES && !failures.contains_key(&peer) {
            return;
        }
        let now = Instant::now();
        let failed = failures.entry(peer).or_insert(Failures { since: now, count: 0 });
        if failed.since.elapsed() >= WINDOW {
            *failed = Failures { since: now, count: 0 };
        }
        failed.count = failed.count.saturating_add(1);
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// What stands after `Bearer` in the `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TOKEN: &str = "correct horse battery";

    fn look(token: &Token, name: &'static str, value: &str, peer: [u8; 4]) -> Shown {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        token.look(&headers, peer.into())
    }

    #[test]
    fn the_token_is_found_where_it_may_stand() {
        let token = Token::new(TOKEN, 4318);
        let check = |name, value: &str, expected| {
            assert_eq!(look(&token, name, value, [192, 0, 2, 1]), expected, "{name}: {value}");
        };
        check("authorization", "Bearer correct horse battery", Shown::Right);
        check("authorization", "bearer  correct horse battery", Shown::Right);
        check("authorization", "Basic correct horse battery", Shown::Wrong);
        check("authorization", "Bearer", Shown::Wrong);
        check("authorization", "Bearer correct horse batterx", Shown::Wrong);
        check("authorization", "Bearer correct horse", Shown::Wrong);
        check("cookie", "llmtrace-4318=correct horse battery", Shown::Wrong);
        let cookie = token.set_cookie();
        let (pair, rules) = cookie.split_once(';').unwrap();
        assert!(rules.contains("HttpOnly") && rules.contains("SameSite=Strict"));
        assert!(!cookie.contains(TOKEN));
        check("cookie", pair, Shown::Right);
        check("cookie", &format!("a=b; {pair}"), Shown::Right);
        check("cookie", &pair.replace("4318", "4319"), Shown::Wrong);
        check("cookie", &pair[..pair.len() - 1], Shown::Wrong);
    }

    #[test]
    fn who_guesses_must_wait() {
        let token = Token::new(TOKEN, 4318);
        for _ in 0..MAX_FAILURES {
            assert_eq!(look(&token, "authorization", "Bearer guess", [192, 0, 2, 1]), Shown::Wrong);
        }
        let right = format!("Bearer {TOKEN}");
        assert_eq!(look(&token, "authorization", &right, [192, 0, 2, 1]), Shown::TooMany);
        assert_eq!(look(&token, "authorization", &right, [192, 0, 2, 2]), Shown::Right);
        let cookie = token.set_cookie();
        assert_eq!(look(&token, "cookie", cookie.split(';').next().unwrap(), [192, 0, 2, 1]), Shown::Right);
    }
}
