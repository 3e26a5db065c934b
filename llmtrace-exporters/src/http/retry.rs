//! What is tried again, and when. The rules are those of the OTLP specification, section "OTLP/HTTP Response".

use std::time::{Duration, SystemTime};

use llmtrace::Timestamp;

/// Whether an answer with this status means that the same request may be taken later.
pub(crate) fn is_retryable(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// The longest wait that a server may ask for.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// How long a server wants us to wait (RFC 9110, 10.2.3: seconds or a date); `None` where the header is neither.
pub(crate) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    let wait = if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(header.parse().unwrap_or(u64::MAX))
    } else {
        let at = http_date(header)?;
        at.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// The years that dates of servers are taken to be in.
const FIRST_YEAR: u32 = 1970;
const LAST_YEAR: u32 = 2196;

/// A date as HTTP servers must write it, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = text.split_once(", ")?;
    let mut parts = date.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (time, zone) = (parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    if zone != "GMT" || parts.next().is_some() {
        return None;
    }
    // What lies further off than times reach is cut to what is left of the wait anyway.
    let year = year.parse::<u32>().ok()?.clamp(FIRST_YEAR, LAST_YEAR);
    let at: Timestamp = format!("{year:04}-{month:02}-{day}T{time}Z").parse().ok()?;
    Some(at.into())
}

/// Waits that double, each cut by chance so that clients do not come back all at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits between half of `first` and `longest`.
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// The next wait; `chance` is in 0..=1. What the server asked for is the least.
    pub(crate) fn next(&mut self, asked: Option<Duration>, chance: f64) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        let wait = doubled.min(self.longest).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        asked.map_or(wait, |asked| asked.max(wait.min(asked.saturating_add(self.first))))
    }

    /// Begins anew after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_four_codes_are_tried_again() {
        let retried: Vec<_> = (0..=999).filter(|status| is_retryable(*status)).collect();
        assert_eq!(retried, [429, 502, 503, 504]);
    }

    #[test]
    fn both_forms_of_retry_after_are_read_and_capped() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let check = |header: &str, seconds: Option<u64>| {
            assert_eq!(retry_after(header, now), seconds.map(Duration::from_secs), "{header:?}");
        };
        check("0", Some(0));
        check(" 7 ", Some(7));
        check("86400", Some(60));
        check("99999999999999999999999999", Some(60));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(0));
        check("Sun, 06 Nov 1994 08:49:40 GMT", Some(3));
        check("Sun, 06 Nov 2094 08:49:40 GMT", Some(60));
        check("Sun, 06 Nov 1984 08:49:40 GMT", Some(0));
        check("Fri, 31 Dec 9999 23:59:59 GMT", Some(60));
        check("Mon, 01 Jan 0001 00:00:00 GMT", Some(0));
        for garbage in ["", "-1", "1.5", "soon", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:40 CET", "\u{0}"]
        {
            check(garbage, None);
        }
        check("Sun, 99 Nov 1994 08:49:40 GMT", None);
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let mut check = |asked: Option<u64>, chance: f64, millis: u64| {
            let wait = backoff.next(asked.map(Duration::from_secs), chance);
            assert_eq!(wait, Duration::from_millis(millis));
        };
        check(None, 1.0, 1_000);
        check(None, 0.0, 1_000);
        check(None, 0.5, 3_000);
        check(None, 1.0, 5_000);
        check(Some(2), 1.0, 3_000);
        check(Some(9), 1.0, 9_000);
        check(Some(0), 1.0, 1_000);
        backoff.reset();
        assert_eq!(backoff.next(None, 0.0), Duration::from_millis(500));
    }
}
