//! Time: a monotonic clock on the caller's thread, wall-clock times on the record.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Written as RFC 3339 with nine fractional digits and `Z`.
///
/// ```
/// let at: llmtrace::Timestamp = "2026-11-22T08:30:00.000000001Z".parse()?;
/// assert_eq!(at.to_string(), "2026-11-22T08:30:00.000000001Z");
/// # Ok::<(), llmtrace::ParseTimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// The text is not an RFC 3339 time between 1970 and 2554.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time: expected RFC 3339 such as 2026-11-22T08:30:00Z, found {found:?}")]
pub struct ParseTimestampError {
    found: String,
}

impl Timestamp {
    /// The moment `nanos` nanoseconds after the Unix epoch.
    pub const fn from_unix_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn unix_nanos(self) -> u64 {
        self.0
    }

    /// The wall-clock time now.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// RFC 3339 with nine fractional digits and `Z`, in ASCII: what `Display` writes, for fast encoders.
    #[expect(clippy::cast_possible_truncation, reason = "a digit is below ten")]
    pub fn to_rfc3339(self) -> [u8; 30] {
        let (secs, nanos) = (self.0 / NANOS, self.0 % NANOS);
        let (year, month, day) = civil_from_days(secs / 86_400);
        let (h, m, s) = (secs / 3_600 % 24, secs / 60 % 60, secs % 60);
        let pair = |value: u64| [value / 10 % 10, value % 10].map(|digit| b'0' + digit as u8);
        let ([y1, y2], [y3, y4]) = (pair(year / 100), pair(year));
        let ([m1, m2], [d1, d2]) = (pair(month), pair(day));
        let ([h1, h2], [n1, n2], [s1, s2]) = (pair(h), pair(m), pair(s));
        let [[f1, f2], [f3, f4], [f5, f6], [f7, f8]] =
            [10_000_000, 100_000, 1_000, 10].map(|unit| pair(nanos / unit));
        let [_, f9] = pair(nanos);
        [
            y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'.', f1,
            f2, f3, f4, f5, f6, f7, f8, f9, b'Z',
        ]
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let nanos = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        Self(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_nanos(at.0)
    }
}

/// Nanoseconds on a clock that never goes back, and the wall-clock time they stand for.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The operating system's monotonic clock, counted from the moment of creation.
    System { anchor: Instant },
    /// A clock that moves only when it is told to.
    #[cfg(feature = "testing")]
    Fixed(std::sync::Arc<std::sync::atomic::AtomicU64>),
}

impl Clock {
    pub(crate) fn system() -> Self {
        Self::System { anchor: Instant::now() }
    }

    /// Monotonic nanoseconds.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        match self {
            Self::System { anchor } => {
                let elapsed = anchor.elapsed();
                // 584 years fit.
                elapsed.as_secs().wrapping_mul(NANOS).wrapping_add(u64::from(elapsed.subsec_nanos()))
            }
            #[cfg(feature = "testing")]
            Self::Fixed(now) => now.load(std::sync::atomic::Ordering::Relaxed),
        }
    }

    /// Wall-clock nanoseconds at the moment when [`now`](Self::now) was 0.
    pub(crate) fn wall_offset(&self) -> u64 {
        match self {
            Self::System { .. } => Timestamp::now().unix_nanos().saturating_sub(self.now()),
            #[cfg(feature = "testing")]
            Self::Fixed(_) => 0,
        }
    }
}

const NANOS: u64 = 1_000_000_000;

/// Days since 1970-01-01 to (year, month, day). Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + u64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    let y = if month <= 2 { year.checked_sub(1)? } else { year };
    let (era, yoe) = (y / 400, y % 400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    (era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy).checked_sub(719_468)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(str::from_utf8(&self.to_rfc3339()).unwrap_or_default())
    }
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn parse_rfc3339(text: &str) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut date = date.split('-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut clock = clock.split(':').map(digits);
    let (h, m, s) = (clock.next()??, clock.next()??, clock.next()??);
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && h < 24 && m < 60 && s <= 60;
    let days = days_from_civil(year, month, day)?;
    if !in_range || clock.next().is_some() || civil_from_days(days) != (year, month, day) {
        return None;
    }
    digits(fraction)?;
    let nanos = digits(&format!("{fraction:0<9}")[..9])?;
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let seconds = i64::try_from(digits(hours)? * 3_600 + digits(minutes)? * 60).ok()?;
            if zone.starts_with('-') { -seconds } else { seconds }
        }
    };
    let secs = (days * 86_400 + h * 3_600 + m * 60 + s).checked_add_signed(-offset)?;
    secs.checked_mul(NANOS)?.checked_add(nanos)
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        let parsed = if text.is_ascii() && text.len() <= 64 { parse_rfc3339(text) } else { None };
        parsed.map(Self).ok_or_else(|| ParseTimestampError { found: text.chars().take(64).collect() })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_as_rfc_3339() {
        let check = |nanos: u64, text: &str| {
            assert_eq!(Timestamp(nanos).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp(nanos)));
        };
        check(0, "1970-01-01T00:00:00.000000000Z");
        check(951_782_400 * NANOS + 5, "2000-02-29T00:00:00.000000005Z");
        check(1_798_761_599 * NANOS + 999_999_999, "2026-12-31T23:59:59.999999999Z");
        assert_eq!("1970-01-01T01:00:00.5+01:00".parse(), Ok(Timestamp(NANOS / 2)));
        assert_eq!("1970-01-01t00:00:01z".parse(), Ok(Timestamp(NANOS)));
        for bad in [
            "",
            "2026",
            "2026-02-30T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "1969-12-31T23:59:59Z",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }
}
