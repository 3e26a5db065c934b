//! What the values of a chart stand along: times, or things in their order.

use llmtrace::Timestamp;

/// The horizontal axis: as many places of equal width as there are values.
#[derive(Clone, Debug)]
pub(crate) enum Axis {
    /// Stretches of time of equal length, one after another.
    Time(Stretches),
    /// Things with a name each, such as the turns of a conversation.
    Named(Vec<String>),
}

/// Stretches of time of equal length, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretches {
    /// When the first begins.
    pub(crate) start: Timestamp,
    /// How long each is, in seconds.
    pub(crate) seconds: u64,
    /// How many there are.
    pub(crate) count: usize,
}

/// A text below the axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    /// Where it stands, as a part of the width.
    pub(super) at: f64,
    pub(super) text: String,
    /// Whether it gives way where there is little room.
    pub(super) is_minor: bool,
}

/// Texts below an axis, at most.
const MAX_LABELS: u64 = 8;

const NANOS: u64 = 1_000_000_000;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// What may lie between two texts of a time axis, in seconds.
const STEPS: [u64; 20] = [
    1,
    5,
    15,
    30,
    60,
    5 * 60,
    10 * 60,
    15 * 60,
    30 * 60,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Axis {
    /// How many places there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Time(stretches) => stretches.count,
            Self::Named(names) => names.len(),
        }
    }

    /// What a place stands for, in full.
    pub(crate) fn name(&self, place: usize) -> String {
        match self {
            Self::Time(stretches) => stretches.name(place),
            Self::Named(names) => names.get(place).cloned().unwrap_or_default(),
        }
    }

    /// The title of the column of places in a table.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Time(_) => "Time (UTC)",
            Self::Named(_) => "",
        }
    }

    pub(super) fn labels(&self) -> Vec<Label> {
        match self {
            Self::Time(stretches) => stretches.labels(),
            Self::Named(names) => named(names),
        }
    }
}

impl Stretches {
    /// When a stretch begins; where `place` is their number, when the last ends.
    pub(crate) fn begin(&self, place: usize) -> Timestamp {
        let nanos = (place as u64).saturating_mul(self.seconds).saturating_mul(NANOS);
        Timestamp::from_unix_nanos(self.start.unix_nanos().saturating_add(nanos))
    }

    fn name(&self, place: usize) -> String {
        let (from, until) = (self.begin(place), self.begin(place + 1));
        if self.seconds.is_multiple_of(DAY) && from.unix_nanos().is_multiple_of(DAY * NANOS) {
            return if self.seconds == DAY {
                date(from, Year::Said)
            } else {
                let last = Timestamp::from_unix_nanos(until.unix_nanos().saturating_sub(1));
                format!("{} to {}", date(from, Year::Left), date(last, Year::Said))
            };
        }
        let clock = if self.seconds.is_multiple_of(60) { 5 } else { 8 };
        format!("{} {}–{} UTC", date(from, Year::Said), time(from, clock), time(until, clock))
    }

    fn labels(&self) -> Vec<Label> {
        let (start, length) =
            (self.start.unix_nanos() / NANOS, self.seconds.saturating_mul(self.count as u64).max(1));
        let fits = |step: &u64| length / step < MAX_LABELS;
        let step = STEPS.into_iter().find(fits).unwrap_or_else(|| length.div_ceil(MAX_LABELS * DAY) * DAY);
        let mut labels = Vec::new();
        let mut at = start.div_ceil(step) * step;
        while at <= start.saturating_add(length) {
            let moment = Timestamp::from_unix_nanos(at.saturating_mul(NANOS));
            let text = match step {
                _ if at.is_multiple_of(DAY) => {
                    date(moment, if step >= 28 * DAY { Year::Said } else { Year::Left })
                }
                ..60 => time(moment, 8),
                _ => time(moment, 5),
            };
            let is_minor = !(at / step).is_multiple_of(2);
            labels.push(Label { at: (at - start) as f64 / length as f64, text, is_minor });
            let Some(next) = at.checked_add(step) else { break };
            at = next;
        }
        labels
    }
}

/// The first name, the last, and some between them.
fn named(names: &[String]) -> Vec<Label> {
    let every = names.len().div_ceil(12).max(1);
    let place = |(number, name): (usize, &String)| Label {
        at: (number as f64 + 0.5) / names.len() as f64,
        text: name.clone(),
        is_minor: number > 0 && (number / every) % 2 == 1,
    };
    names.iter().enumerate().filter(|(number, _)| number.is_multiple_of(every)).map(place).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Year {
    Said,
    Left,
}

/// A date such as `23 Nov 2026`.
fn date(at: Timestamp, year: Year) -> String {
    let text = at.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
    let day = part(8, 10).trim_start_matches('0');
    let month = month.copied().unwrap_or_default();
    if year == Year::Said { format!("{day} {month} {}", part(0, 4)) } else { format!("{day} {month}") }
}

/// The first `chars` of a time such as `08:30:00`.
fn time(at: Timestamp, chars: usize) -> String {
    at.to_string().get(11..11 + chars).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretches(start: &str, seconds: u64, count: usize) -> Stretches {
        Stretches { start: start.parse().unwrap(), seconds, count }
    }

    #[test]
    fn labels_stand_at_round_times() {
        let check = |stretches: Stretches, expected: &[&str]| {
            let labels = stretches.labels();
            let texts: Vec<_> = labels.iter().map(|label| label.text.as_str()).collect();
            assert_eq!(texts, expected);
            assert!(labels.iter().all(|label| (0.0..=1.0).contains(&label.at)), "{labels:?}");
        };
        let hour = stretches("2026-11-23T08:10:00Z", 60, 60);
        check(hour, &["08:10", "08:20", "08:30", "08:40", "08:50", "09:00", "09:10"]);
        let day = stretches("2026-11-22T13:00:00Z", 1_800, 48);
        check(day, &["16:00", "20:00", "23 Nov", "04:00", "08:00", "12:00"]);
        let week = stretches("2026-11-20T00:00:00Z", 10_800, 56);
        check(week, &["20 Nov", "21 Nov", "22 Nov", "23 Nov", "24 Nov", "25 Nov", "26 Nov", "27 Nov"]);
        let year = stretches("2026-01-01T00:00:00Z", DAY, 365);
        assert!(year.labels().len() <= 9);
        check(stretches("2026-11-23T08:10:00Z", 1, 3), &["08:10:00", "08:10:01", "08:10:02", "08:10:03"]);
    }

    #[test]
    fn odd_times_break_nothing() {
        let check = |start: u64, seconds: u64, count: usize| {
            let axis = Axis::Time(Stretches { start: Timestamp::from_unix_nanos(start), seconds, count });
            assert!(axis.labels().len() <= 10, "{start} {seconds} {count}");
            assert!(!axis.name(count).is_empty());
        };
        for start in [0, 1, u64::MAX / 2, u64::MAX] {
            for (seconds, count) in [(0, 0), (0, 5), (60, 0), (60, 1), (1 << 40, 1_000), (u64::MAX, 2)] {
                check(start, seconds, count);
            }
        }
    }

    #[test]
    fn a_stretch_says_from_when_to_when() {
        let check = |stretches: Stretches, name: &str| assert_eq!(stretches.name(1), name);
        check(stretches("2026-11-23T08:10:00Z", 300, 9), "23 Nov 2026 08:15–08:20 UTC");
        check(stretches("2026-11-23T08:10:00Z", 5, 9), "23 Nov 2026 08:10:05–08:10:10 UTC");
        check(stretches("2026-11-23T00:00:00Z", DAY, 9), "24 Nov 2026");
        check(stretches("2026-11-23T00:00:00Z", 7 * DAY, 9), "30 Nov to 6 Dec 2026");
    }

    #[test]
    fn names_give_way_where_there_are_many() {
        let names: Vec<_> = (1..=100).map(|turn| turn.to_string()).collect();
        let labels = Axis::Named(names).labels();
        assert!(labels.len() <= 12, "{}", labels.len());
        assert_eq!(labels.first().map(|label| label.text.as_str()), Some("1"));
        assert!(Axis::Named(Vec::new()).labels().is_empty());
    }
}
