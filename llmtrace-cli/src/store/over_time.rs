//! Traces over time.

use llmtrace::Timestamp;
use rusqlite::Connection;

use super::error::StoreError;
use super::filter::{Sort, TraceFilter};
use super::list::cursors;
use super::row::TraceStatus;

/// How many traces of a list started when: for a small chart above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OverTime {
    /// The bars without a gap, the earliest first; none where there is no trace.
    pub(crate) bars: Vec<Bar>,
    /// Whether there are more traces before the first bar: only the newest [`MAX_COUNTED`] are counted.
    pub(crate) is_cut: bool,
}

/// Traces that started in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Where it begins.
    pub(crate) since: Timestamp,
    /// Where the next one begins.
    pub(crate) until: Timestamp,
    pub(crate) traces: u64,
    /// Those of them that failed.
    pub(crate) errors: u64,
}

/// Traces that are counted, at most: the newest.
pub(crate) const MAX_COUNTED: usize = 20_000;

/// Bars, at most.
const MAX_BARS: u64 = 120;

/// The least that the bars cover where the filter chooses no time, in nanoseconds.
const LEAST: u64 = 3_600 * SECOND;

const SECOND: u64 = 1_000_000_000;

/// How long a bar may be, in seconds.
const STEPS: [u64; 15] =
    [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000];

/// The traces that a filter lets through, over time. Those that a search finds are not counted: searching twice would
/// take too long.
pub(crate) fn over_time(conn: &Connection, filter: &TraceFilter) -> Result<OverTime, StoreError> {
    if filter.text.is_some() {
        return Ok(OverTime::default());
    }
    let starts = starts(conn, filter, MAX_COUNTED)?;
    let Some(oldest) = starts.last().copied() else { return Ok(OverTime::default()) };
    let is_cut = starts.len() == MAX_COUNTED;
    let until = filter.until.unwrap_or_else(Timestamp::now).unix_nanos();
    let since = match filter.since {
        _ if is_cut => oldest,
        Some(since) => since.unix_nanos(),
        None => oldest.min(until.saturating_sub(LEAST)),
    };
    let failed = match filter.status {
        None => {
            let since = Some(Timestamp::from_unix_nanos(oldest));
            let failed = TraceFilter { status: Some(TraceStatus::Error), since, ..filter.clone() };
            self::starts(conn, &failed, MAX_COUNTED)?
        }
        Some(TraceStatus::Error) => starts.clone(),
        Some(_) => Vec::new(),
    };
    Ok(OverTime { bars: bars(since, until, &starts, &failed), is_cut })
}

/// When the traces of a filter started, the newest first.
fn starts(conn: &Connection, filter: &TraceFilter, limit: usize) -> Result<Vec<u64>, StoreError> {
    let found = cursors(conn, filter, Sort::Newest, None, limit)?;
    let found = found.map(|(found, _)| found).unwrap_or_default();
    Ok(found.iter().map(|cursor| u64::try_from(cursor.key).unwrap_or(0)).collect())
}

/// Bars from a moment to another, of a round length.
fn bars(since: u64, until: u64, starts: &[u64], failed: &[u64]) -> Vec<Bar> {
    // The clock of a traced program may be ahead.
    let until = starts.first().map_or(until, |newest| until.max(newest.saturating_add(1)));
    let length = until.saturating_sub(since);
    let fits = |step: &u64| length / (step * SECOND) < MAX_BARS;
    let step = match STEPS.into_iter().find(fits) {
        Some(step) => step * SECOND,
        None => length / MAX_BARS + 1,
    };
    let first = since / step * step;
    let count = until.saturating_sub(first).div_ceil(step).max(1);
    let at = |bar: u64| Timestamp::from_unix_nanos(first.saturating_add(bar.saturating_mul(step)));
    let empty = |bar| Bar { since: at(bar), until: at(bar + 1), traces: 0, errors: 0 };
    let mut bars: Vec<_> = (0..count).map(empty).collect();
    let place = |start: u64| usize::try_from(start.saturating_sub(first) / step).unwrap_or(usize::MAX);
    for start in starts {
        if let Some(bar) = bars.get_mut(place(*start)) {
            bar.traces += 1;
        }
    }
    for start in failed {
        if let Some(bar) = bars.get_mut(place(*start)) {
            bar.errors += 1;
        }
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_round_few_and_count_each_trace_once() {
        let check = |since: u64, until: u64, starts: &[u64], expected: (usize, u64, u64)| {
            let nanos = |seconds: &u64| seconds * SECOND;
            let starts: Vec<_> = starts.iter().map(nanos).collect();
            let bars = bars(nanos(&since), nanos(&until), &starts, &starts);
            let first = bars[0];
            let found =
                (bars.len(), first.since.unix_nanos() / SECOND, first.until.since(first.since).as_secs());
            assert_eq!(found, expected);
            assert_eq!(bars.iter().map(|bar| bar.traces).sum::<u64>(), starts.len() as u64);
            assert_eq!(bars.iter().map(|bar| bar.errors).sum::<u64>(), starts.len() as u64);
            assert!(bars.windows(2).all(|pair| pair[0].until == pair[1].since));
        };
        check(0, 100, &[99, 0], (100, 0, 1));
        check(0, 3_600, &[3_599, 30, 29], (60, 0, 60));
        check(65, 3_665, &[3_664, 65], (61, 60, 60));
        check(0, 86_400, &[], (48, 0, 1_800));
        check(0, 0, &[0], (1, 0, 1));
        // A clock that is ahead, and a time that is longer than any round step has room for.
        check(0, 10, &[59], (60, 0, 1));
        check(0, 18_000_000_000, &[1, 17_999_999_999], (120, 0, 150_000_000));
    }
}
