//! The one axis of time that all bars of a trace lie on.

use std::time::Duration;

use llmtrace::Timestamp;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use crate::store::row::{SpanRow, SpanStatus};

/// The time from the first start to the last end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    start: Timestamp,
    nanos: u64,
}

/// Most ticks that have room.
const MAX_TICKS: u64 = 4;

/// Percent of the axis behind which a label has no room.
const LAST_LABEL: u64 = 76;

impl Axis {
    /// The axis of these spans.
    pub(crate) fn of(rows: &[SpanRow]) -> Self {
        let start = rows.iter().map(|row| row.start).min().unwrap_or_default();
        let end = rows.iter().map(|row| row.end.max(row.start)).max().unwrap_or_default();
        let nanos = end.unix_nanos().saturating_sub(start.unix_nanos()).max(1);
        Self { start, nanos }
    }

    /// Its length.
    pub(crate) fn length(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// From its start to a moment.
    pub(crate) fn offset(&self, at: Timestamp) -> Duration {
        at.since(self.start)
    }

    /// Where a moment lies, in percent of the axis.
    fn percent(&self, at: u64) -> f64 {
        let since = at.saturating_sub(self.start.unix_nanos()).min(self.nanos);
        // Two digits are below a pixel.
        (since as f64 / self.nanos as f64 * 1e4).round() / 1e2
    }

    /// Times of the ticks: a round step, from 0.
    fn ticks(&self) -> impl Iterator<Item = u64> {
        let step = round_step(self.nanos.div_ceil(MAX_TICKS));
        let last = self.nanos;
        (0..=MAX_TICKS).map(move |n| n.saturating_mul(step)).take_while(move |at| *at < last)
    }

    /// The ticks with their times, above the bars; it also holds the grid that rows refer to.
    pub(crate) fn scale(&self) -> Markup {
        let at = |nanos: u64| format!("{}%", self.percent(self.start.unix_nanos().saturating_add(nanos)));
        html! {
            svg.scale width="100%" height="18" role="img" aria-label={ "0 to " (figures::duration(self.length())) } {
                symbol #grid {
                    @for tick in self.ticks().skip(1) {
                        line.grid x1=(at(tick)) x2=(at(tick)) y1="0" y2="100%" {}
                    }
                }
                @for tick in self.ticks() {
                    @let label = if tick == 0 { "0".to_owned() } else { figures::duration(Duration::from_nanos(tick)) };
                    @if tick <= self.nanos / 100 * LAST_LABEL {
                        text x=(at(tick)) dx=(if tick == 0 { "0" } else { "3" }) y="12" { (label) }
                    }
                    @if tick > 0 { line.grid x1=(at(tick)) x2=(at(tick)) y1="2" y2="100%" {} }
                }
            }
        }
    }

    /// The bar of a span: faint to its first chunk, full from there.
    pub(crate) fn bar(&self, row: &SpanRow) -> Markup {
        let from = self.percent(row.start.unix_nanos());
        let to = match row.status {
            SpanStatus::Running => 100.0,
            _ => self.percent(row.end.unix_nanos()).max(from),
        };
        let first = row.first_chunk.and_then(|first| u64::try_from(first.as_nanos()).ok());
        let first =
            first.map(|first| self.percent(row.start.unix_nanos().saturating_add(first)).clamp(from, to));
        let class = match row.status {
            SpanStatus::Error => "span-bar failed",
            SpanStatus::Running => "span-bar open",
            _ => "span-bar",
        };
        let width = |from: f64, to: f64| format!("{}%", ((to - from) * 1e2).round() / 1e2);
        html! {
            svg class={ (class) " k-" (row.kind.as_str()) } width="100%" height="20" aria-hidden="true" {
                use href="#grid" {}
                @if let Some(first) = first {
                    rect.wait x={ (from) "%" } width=(width(from, first)) y="6" height="8" {}
                    rect.body x={ (first) "%" } width=(width(first, to)) y="6" height="8" {}
                    line.first x1={ (first) "%" } x2={ (first) "%" } y1="3" y2="17" {}
                } @else {
                    rect.body x={ (from) "%" } width=(width(from, to)) y="6" height="8" {}
                }
            }
        }
    }
}

/// The next of 1, 2, 5 times a power of ten.
fn round_step(nanos: u64) -> u64 {
    let power = 10_u64.pow(nanos.max(1).ilog10());
    let steps = [1, 2, 5, 10].map(|times: u64| power.saturating_mul(times));
    steps.into_iter().find(|step| *step >= nanos).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::trace::testing::span;

    fn row(start: u64, end: u64) -> SpanRow {
        let at = Timestamp::from_unix_nanos;
        SpanRow { start: at(start), end: at(end), ..span(1, 0) }
    }

    #[test]
    fn ticks_are_round_and_few() {
        let check = |nanos: u64, expected: &[u64]| {
            let ticks: Vec<_> = Axis { start: Timestamp::default(), nanos }.ticks().collect();
            assert_eq!(ticks, expected);
        };
        check(1, &[0]);
        check(100, &[0, 50]);
        check(296, &[0, 100, 200]);
        check(1_240, &[0, 500, 1_000]);
        check(5_001, &[0, 2_000, 4_000]);
        check(8_000, &[0, 2_000, 4_000, 6_000]);
        assert!(Axis { start: Timestamp::default(), nanos: u64::MAX }.ticks().count() <= 6);
    }

    #[test]
    fn bars_lie_on_one_axis_whatever_the_times() {
        let rows = [row(1_000, 2_000), row(1_500, 1_250), row(1_750, 0), row(u64::MAX - 1, u64::MAX)];
        let axis = Axis::of(&rows[..3]);
        let check = |row: &SpanRow, expected: &str| {
            let bar = axis.bar(row).into_string();
            assert!(bar.contains(expected), "{bar}");
        };
        check(&rows[0], r#"x="0%" width="100%""#);
        check(&rows[1], r#"x="50%" width="0%""#);
        check(&SpanRow { status: SpanStatus::Running, ..rows[2].clone() }, r#"x="75%" width="25%""#);
        check(&rows[3], r#"x="100%" width="0%""#);
        let streamed = SpanRow { first_chunk: Some(Duration::from_nanos(250)), ..rows[0].clone() };
        check(&streamed, r#"class="wait" x="0%" width="25%""#);
        check(&streamed, r#"class="body" x="25%" width="75%""#);
        let late = SpanRow { first_chunk: Some(Duration::from_secs(9)), ..rows[0].clone() };
        check(&late, r#"x1="100%""#);
    }
}
