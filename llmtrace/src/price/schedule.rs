//! When, in the week, a price holds.

use std::str::FromStr;

use crate::Timestamp;

/// Days of the week and hours of the day, in UTC.
///
/// Written as days, hours, or both: `mon-fri 01:00-04:00,06:00-10:00`. Days are `mon`, `tue`, `wed`, `thu`, `fri`,
/// `sat`, `sun` and ranges of them. Hours include their start and leave out their end; a window may go past
/// midnight (`22:00-02:00`), and its hours after midnight belong to the day on which they are.
///
/// ```
/// use llmtrace::{Schedule, Timestamp};
///
/// let peak: Schedule = "mon-fri 01:00-04:00,06:00-10:00".parse()?;
/// let holds = |at: &str| at.parse::<Timestamp>().map(|at| peak.holds_at(at));
/// assert!(holds("2026-11-20T03:59:59Z")?); // a Friday
/// assert!(!holds("2026-11-20T04:00:00Z")?);
/// assert!(!holds("2026-11-21T03:00:00Z")?); // a Saturday
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// One bit a day, Monday first.
    days: u8,
    /// Minutes of the day: start and end. Empty means the whole day.
    windows: Vec<(u16, u16)>,
}

/// The text is not a [`Schedule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a schedule: expected days and hours such as \"mon-fri 01:00-04:00,06:00-10:00\", found {found:?}"
)]
pub struct ParseScheduleError {
    found: String,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EVERY_DAY: u8 = 0b111_1111;
const MINUTES_OF_DAY: u16 = 24 * 60;

/// Most windows of a day.
const MAX_WINDOWS: usize = 24;

impl Schedule {
    /// Always.
    pub(super) fn always() -> Self {
        Self { days: EVERY_DAY, windows: Vec::new() }
    }

    /// Whether `at` is on one of the days, within one of the windows.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        let minutes = at.unix_nanos() / 60_000_000_000;
        let (day, minute) = (minutes / 1440, minutes % 1440);
        // The first of January 1970 was a Thursday.
        let is_day = self.days >> ((day + 3) % 7) & 1 == 1;
        let is_in = |&(start, end): &(u16, u16)| {
            let (start, end) = (u64::from(start), u64::from(end));
            if start < end { (start..end).contains(&minute) } else { minute >= start || minute < end }
        };
        is_day && (self.windows.is_empty() || self.windows.iter().any(is_in))
    }

    /// Adds days such as `mon-fri` or `sat`; `None` if the text is none.
    pub(super) fn set_days<'a>(&mut self, days: impl IntoIterator<Item = &'a str>) -> Option<()> {
        self.days =
            days.into_iter().try_fold(0, |all, part| Some(all | read_days(part)?)).filter(|all| *all > 0)?;
        Some(())
    }

    /// Adds windows such as `01:00-04:00`; `None` if the text is none.
    pub(super) fn set_hours<'a>(&mut self, hours: impl IntoIterator<Item = &'a str>) -> Option<()> {
        let windows = hours.into_iter().take(MAX_WINDOWS + 1).map(read_window);
        self.windows = windows.collect::<Option<Vec<_>>>()?;
        (1..=MAX_WINDOWS).contains(&self.windows.len()).then_some(())
    }
}

impl FromStr for Schedule {
    type Err = ParseScheduleError;

    fn from_str(text: &str) -> Result<Self, ParseScheduleError> {
        let read = || {
            let mut schedule = Self::always();
            let is_hours = |part: &&str| part.contains(':');
            let (hours, days): (Vec<&str>, Vec<&str>) =
                text.split([' ', ',']).filter(|part| !part.is_empty()).partition(is_hours);
            if hours.is_empty() && days.is_empty() {
                return None;
            }
            if !days.is_empty() {
                schedule.set_days(days)?;
            }
            if !hours.is_empty() {
                schedule.set_hours(hours)?;
            }
            Some(schedule)
        };
        read().ok_or_else(|| ParseScheduleError { found: text.chars().take(64).collect() })
    }
}

/// One day or a range of days, as bits.
fn read_days(text: &str) -> Option<u8> {
    let place = |name: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name.trim()));
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (place(from)?, place(to)?);
    let length = (to + 7 - from) % 7;
    Some((0..=length).fold(0, |bits, step| bits | 1 << ((from + step) % 7)))
}

fn read_window(text: &str) -> Option<(u16, u16)> {
    let (start, end) = text.trim().split_once('-')?;
    let (start, end) = (read_minute(start)?, read_minute(end)?);
    (start != end && start < MINUTES_OF_DAY).then_some((start, end))
}

/// `HH:MM`, up to `24:00`.
fn read_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| -> Option<u16> {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= MINUTES_OF_DAY).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_those_of_utc() {
        let check = |schedule: &str, at: &str, expected: bool| {
            let schedule: Schedule = schedule.parse().unwrap();
            assert_eq!(schedule.holds_at(at.parse().unwrap()), expected, "{schedule:?} {at}");
        };
        for (day, name) in (23..30).zip(DAYS) {
            let noon = format!("2026-11-{day}T12:00:00Z");
            for other in DAYS {
                check(other, &noon, other == name);
            }
        }
        check("mon-fri", "2026-11-27T23:59:59.999999999Z", true);
        check("mon-fri", "2026-11-28T00:00:00Z", false);
        check("sat-mon", "2026-11-29T12:00:00Z", true);
        check("sat-mon", "2026-11-30T12:00:00Z", true);
        check("sat-mon", "2026-12-01T12:00:00Z", false);
        check("01:00-04:00", "2026-11-28T01:00:00Z", true);
        check("01:00-04:00", "2026-11-28T00:59:59Z", false);
        check("01:00-04:00", "2026-11-28T04:00:00Z", false);
        check("22:30-02:00", "2026-11-28T01:59:00Z", true);
        check("22:30-02:00", "2026-11-28T22:30:00Z", true);
        check("22:30-02:00", "2026-11-28T02:00:00Z", false);
        check("20:00-24:00", "2026-11-28T23:59:59Z", true);
        check("SAT,Sun 06:00-10:00 12:00-13:00", "2026-11-28T12:30:00Z", true);
        check("SAT,Sun 06:00-10:00 12:00-13:00", "2026-11-27T12:30:00Z", false);
        check("thu", "1970-01-01T00:00:00Z", true);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            " ",
            "mo",
            "mon-",
            "mon-fry",
            "1:00-2:00",
            "01:00",
            "01:00-01:00",
            "24:00-01:00",
            "01:60-02:00",
        ] {
            let error = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(error.contains("mon-fri 01:00-04:00") && error.contains(text), "{error}");
        }
        let many = vec!["01:00-02:00"; MAX_WINDOWS + 1].join(",");
        assert!(many.parse::<Schedule>().is_err());
    }
}
