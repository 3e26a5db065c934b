//! Moments and how long ago they were.

use std::time::Duration;

use llmtrace::Timestamp;
use maud::{Markup, html};

/// A moment as the time since it, with the moment itself in the title; scripts keep both right and put the title in the
/// reader's time zone.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at) data-ago title=(exact(at)) { (since(at, now)) } }
}

/// A moment to the second, in UTC where no script runs.
pub(crate) fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(exact(at)) { (seconds(at)) " UTC" } }
}

/// `2026-11-22 08:30:00.123 UTC`.
pub(crate) fn exact(at: Timestamp) -> String {
    let text = at.to_string();
    let (date, time) = text.split_once('T').unwrap_or_default();
    format!("{date} {} UTC", time.get(..12).unwrap_or(time))
}

/// `2026-11-22 08:30:00`.
fn seconds(at: Timestamp) -> String {
    let text = at.to_string();
    let (date, time) = text.split_once('T').unwrap_or_default();
    format!("{date} {}", time.get(..8).unwrap_or(time))
}

/// `now`, `42s ago`, `5m ago`, `3h ago`, `12d ago`, or the date where it is longer ago.
fn since(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        let ahead = at.since(now);
        return if ahead < CLOCKS_DIFFER { "now".to_owned() } else { seconds(at) };
    }
    let seconds = now.since(at).as_secs();
    match seconds {
        0..=1 => "now".to_owned(),
        2..=59 => format!("{seconds}s ago"),
        60..=3_599 => format!("{}m ago", seconds / 60),
        3_600..=86_399 => format!("{}h ago", seconds / 3_600),
        86_400..=2_591_999 => format!("{}d ago", seconds / 86_400),
        _ => at.to_string().chars().take(10).collect(),
    }
}

/// By how much the clock of a traced program may be ahead without a word about it.
const CLOCKS_DIFFER: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_now() {
        let now: Timestamp = "2026-11-22T08:30:00Z".parse().unwrap();
        let check = |at: &str, shown: &str| assert_eq!(since(at.parse().unwrap(), now), shown, "{at}");
        check("2026-11-22T08:30:00Z", "now");
        check("2026-11-22T08:31:59Z", "now");
        check("2026-11-22T09:30:00Z", "2026-11-22 09:30:00");
        check("2026-11-22T08:29:18Z", "42s ago");
        check("2026-11-22T08:25:01Z", "4m ago");
        check("2026-11-22T05:25:00Z", "3h ago");
        check("2026-11-10T08:30:00Z", "12d ago");
        check("2025-11-10T08:30:00Z", "2025-11-10");
        let markup = ago("2026-11-22T08:29:18.5Z".parse().unwrap(), now).into_string();
        assert!(markup.contains("datetime=\"2026-11-22T08:29:18.500000000Z\""), "{markup}");
        assert!(markup.contains("title=\"2026-11-22 08:29:18.500 UTC\""), "{markup}");
    }
}
