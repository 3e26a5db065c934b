//! Traces over time, above the list.

use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::PATH;
use crate::pages::components::time::{exact, moment};
use crate::pages::query::Query;
use crate::store::over_time::{Bar, MAX_COUNTED, OverTime};

/// Pixels that the highest bar takes.
const HEIGHT: u64 = 40;

/// The histogram; each bar leads to its stretch of time.
pub(super) fn histogram(over_time: &OverTime, query: &Query) -> Markup {
    let buckets = &over_time.bars;
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
        return html! { div data-part="histogram" {} };
    };
    let most = buckets.iter().map(|bucket| bucket.traces).max().unwrap_or(0).max(1);
    let traces: u64 = buckets.iter().map(|bucket| bucket.traces).sum();
    let errors: u64 = buckets.iter().map(|bucket| bucket.errors).sum();
    let says = format!("{} traces, {} failed", figures::count(traces), figures::count(errors));
    html! {
        figure.histogram data-part="histogram" {
            svg width="100%" height=(HEIGHT) role="img" aria-label=(says) {
                @for (index, bucket) in buckets.iter().enumerate().filter(|(_, bucket)| bucket.traces > 0) {
                    (bar(index, buckets.len(), bucket, most, query))
                }
            }
            figcaption {
                span { (moment(first.since)) }
                span {
                    @if over_time.is_cut { "the newest " (figures::count(MAX_COUNTED as u64)) ": " }
                    (says)
                }
                span { (moment(last.until)) }
            }
        }
    }
}

fn bar(index: usize, count: usize, bucket: &Bar, most: u64, query: &Query) -> Markup {
    // What is there is seen: at least two pixels.
    let high = |traces: u64| (traces.min(most) * HEIGHT).div_ceil(most).max(2);
    let percent = |part: usize| (part as f64 / count as f64 * 1e4).round() / 1e2;
    let (x, width) = (percent(index), percent(index + 1) - percent(index));
    let whole = high(bucket.traces);
    // Of a low bar, no more is red than failed.
    let failed = (bucket.errors.min(bucket.traces) * whole).div_ceil(bucket.traces.max(1));
    let range = query.without(&["since", "until", "after"]);
    let range = range.and("since", &bucket.since.to_string()).and("until", &bucket.until.to_string());
    let says = format!(
        "{}: {} traces, {} failed",
        exact(bucket.since),
        figures::count(bucket.traces),
        figures::count(bucket.errors)
    );
    html! {
        a href=(range.href(PATH)) tabindex="-1" aria-label=(says) {
            title { (says) }
            rect.room x={ (x) "%" } width={ (width) "%" } y="0" height=(HEIGHT) {}
            rect.all x={ (x) "%" } width={ ((width * 82.0).round() / 1e2) "%" } y=(HEIGHT - whole) height=(whole) {}
            @if bucket.errors > 0 {
                rect.failed x={ (x) "%" } width={ ((width * 82.0).round() / 1e2) "%" } y=(HEIGHT - failed) height=(failed) {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use llmtrace::Timestamp;

    use super::*;
    use crate::pages::testing::assert_sound;

    #[test]
    fn bars_are_as_high_as_they_count_and_lead_to_their_time() {
        let at = |seconds: u64| Timestamp::from_unix_nanos(seconds * 1_000_000_000);
        let bucket = |n: u64, traces, errors| Bar { since: at(n), until: at(n + 1), traces, errors };
        let buckets = [bucket(0, 1_000, 10), bucket(1, 0, 0), bucket(2, 500, 0), bucket(3, 1, 1)];
        let query = Query::parse("model=a&since=1h&after=9.9");
        let over_time = OverTime { bars: buckets.to_vec(), is_cut: false };
        let shown = histogram(&over_time, &query).into_string();
        assert_sound(&shown);
        let has = |text: &str| assert!(shown.contains(text), "{text} in {shown}");
        has("class=\"all\" x=\"0%\" width=\"20.5%\" y=\"0\" height=\"40\"");
        has("class=\"all\" x=\"50%\" width=\"20.5%\" y=\"20\" height=\"20\"");
        has("class=\"failed\" x=\"0%\" width=\"20.5%\" y=\"39\" height=\"1\"");
        has("class=\"failed\" x=\"75%\" width=\"20.5%\" y=\"38\" height=\"2\"");
        has("/traces?model=a&amp;since=1970-01-01T00%3A00%3A02.000000000Z&amp;until=");
        has("1,501 traces, 11 failed");
        assert_eq!(shown.matches("class=\"all\"").count(), 3);
        assert!(!histogram(&OverTime::default(), &query).into_string().contains("svg"));
    }
}
