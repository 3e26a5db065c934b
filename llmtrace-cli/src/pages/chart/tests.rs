use llmtrace::Timestamp;

use super::axis::{Axis, Stretches};
use super::figure::{Chart, Form};
use super::series::{Point, Series, TONES, Tone};
use crate::pages::components::figure::Exactness;
use crate::pages::sample::HOSTILE;
use crate::pages::testing::assert_sound;
use crate::unit::Unit;

fn axis(count: usize) -> Axis {
    let start = "2026-11-22T08:00:00Z".parse().unwrap();
    Axis::Time(Stretches { start, seconds: 300, count })
}

fn series(label: &str, values: &[Option<f64>]) -> Series {
    Series::new(label, Tone::Nth(0), values.iter().map(|value| Point::known(*value)).collect())
}

fn drawn(unit: Unit, form: Form, series: Vec<Series>) -> String {
    let places = series.iter().map(|series| series.points.len()).max().unwrap_or(0);
    let chart = Chart::new("Chart", unit, form, &axis(places), series).height(100.0).render().into_string();
    assert_sound(&chart);
    for broken in ["NaN", "inf", "height=\"-", "width=\"-"] {
        assert!(!chart.contains(broken), "{broken} in {chart}");
    }
    chart
}

/// The data of each path of a class.
fn paths(chart: &str, class: &str) -> Vec<String> {
    let marker = format!("<path class=\"{class}");
    let path = |rest: &str| {
        rest.split("d=\"").nth(1).and_then(|path| path.split('"').next()).unwrap_or_default().to_owned()
    };
    chart.split(&marker).skip(1).map(path).collect()
}

#[test]
fn bars_are_as_high_as_their_values() {
    let check = |values: &[&[Option<f64>]], expected: &[&str]| {
        let all = values.iter().map(|values| series("one", values)).collect();
        assert_eq!(paths(&drawn(Unit::Count, Form::Stacked, all), "bar"), expected, "{values:?}");
    };
    // Two places of 500 each; a bar is 80 wide at most. The scale goes from 0 to 8 over 100 pixels.
    check(&[&[Some(8.0), Some(2.0)]], &["M210 100V0H290V100ZM710 100V75H790V100Z"]);
    // The second series stands on the first.
    check(&[&[Some(2.0)], &[Some(6.0)]], &["M460 100V75H540V100Z", "M460 75V0H540V75Z"]);
    // Values below zero hang from it; the scale goes from -4 to 4.
    check(&[&[Some(-4.0), Some(4.0)]], &["M210 100V50H290V100ZM710 50V0H790V50Z"]);
    // However small, a value can be seen.
    check(&[&[Some(0.001), Some(1_000.0)]], &["M210 100V99H290V100ZM710 100V0H790V100Z"]);
    // Nothing is drawn of nothing.
    check(&[&[Some(0.0), Some(4.0)]], &["M710 100V0H790V100Z"]);
}

#[test]
fn lines_have_gaps_where_nothing_is_known() {
    let values = [Some(0.0), Some(4.0), None, Some(2.0), None, Some(4.0), Some(f64::NAN), None, None, None];
    let chart = drawn(Unit::Count, Form::Lines, vec![series("one", &values)]);
    assert_eq!(paths(&chart, "line"), ["M50 100L150 0"]);
    // What stands alone is a dot.
    let dots: Vec<_> = chart.matches("<circle class=\"dot tone-0\"").collect();
    assert_eq!(dots.len(), 2);
    assert!(chart.contains("cx=\"35%\" cy=\"50\""), "{chart}");
    assert!(chart.contains("cx=\"55%\" cy=\"0\""), "{chart}");
}

#[test]
fn bands_lie_between_percentiles() {
    let all = vec![series("p50", &[Some(1.0), Some(1.0)]), series("p95", &[Some(2.0), Some(4.0)])];
    let chart = drawn(Unit::Count, Form::Percentiles, all);
    assert_eq!(paths(&chart, "band"), ["M250 50L750 0L750 75L250 75Z"]);
    assert_eq!(paths(&chart, "line").len(), 2);
}

#[test]
fn odd_data_break_nothing() {
    let odd: [&[Option<f64>]; 8] = [
        &[],
        &[None],
        &[Some(0.0)],
        &[Some(1e308), Some(-1e308)],
        &[Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)],
        &[Some(f64::MIN_POSITIVE), Some(5e-324)],
        &[Some(-1.0)],
        &[Some(1e300), None, Some(1e-300)],
    ];
    for values in odd {
        for unit in [Unit::Count, Unit::Tokens, Unit::Usd, Unit::Ms, Unit::Share, Unit::Score] {
            for form in [Form::Stacked, Form::Lines, Form::Percentiles] {
                drawn(unit, form, vec![series("one", values), series("other", values)]);
            }
        }
    }
    let nothing = drawn(Unit::Usd, Form::Stacked, Vec::new());
    assert!(nothing.contains(">no data</text>"), "{nothing}");
    // More values than the axis has places are left out; fewer are gaps.
    let one = axis(1);
    let chart = Chart::new("", Unit::Count, Form::Stacked, &one, vec![series("", &[Some(1.0); 9])]);
    assert_eq!(paths(&chart.render().into_string(), "bar").concat().matches('Z').count(), 1);
}

#[test]
fn each_place_says_its_figures_and_leads_to_its_list() {
    let bound = Point { value: Some(3.0), exactness: Exactness::AtLeast };
    let all = vec![
        Series::new("low", Tone::Nth(0), vec![Point::exact(2.0), Point::exact(1_234.0)])
            .total("1,236")
            .href("/traces?a=b&c"),
        Series::new(HOSTILE, Tone::Nth(1), vec![bound, Point::default()]),
    ];
    let chart = Chart::new(HOSTILE, Unit::Count, Form::Stacked, &axis(2), all)
        .hrefs(|place| Some(format!("/traces?place={place}")))
        .render()
        .into_string();
    assert_sound(&chart);
    assert!(!chart.contains("<script>") && !chart.contains('\u{202e}'), "{chart}");
    let has = |text: &str| assert!(chart.contains(text), "{text} in {chart}");
    // Stacks are read from the top.
    has(
        "<title>22 Nov 2026 08:00–08:05 UTC\n&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}: ≥\u{202f}3\nlow: 2\ntotal: ≥\u{202f}5</title>",
    );
    has("<title>22 Nov 2026 08:05–08:10 UTC\nlow: 1,234</title>");
    has("<a href=\"/traces?place=1\" tabindex=\"-1\">");
    // The same in a table, where keys reach the link.
    has(
        "<th scope=\"row\"><a href=\"/traces?place=1\">22 Nov 2026 08:05–08:10 UTC</a></th><td class=\"figure\">1,234</td><td class=\"figure\">–</td>",
    );
    has("href=\"/traces?a=b&amp;c\"");
    has("<span class=\"num\">1,236</span>");
}

#[test]
fn tones_are_told_apart() {
    let classes: std::collections::HashSet<_> =
        (0..TONES + 3).map(|number| Tone::nth(number).class()).collect();
    assert_eq!(classes.len(), TONES + 1);
    let css = include_str!("../../../assets/charts.css");
    for class in classes.into_iter().chain([Tone::Bad.class()]) {
        assert!(css.contains(&format!("--{class}: light-dark(")), "{class}");
        assert!(css.contains(&format!(".{class} {{ --tone: var(--{class})")), "{class}");
    }
}

#[test]
fn tones_can_be_seen_on_both_grounds() {
    let css = include_str!("../../../assets/charts.css");
    let colors = css.lines().filter_map(|line| line.trim().strip_prefix("--tone-"));
    let mut seen = 0;
    for line in colors {
        let Some((name, values)) = line.split_once(": light-dark(") else { continue };
        let mut values = values.trim_end_matches(");").split(", ");
        for (ground, color) in [("#ffffff", values.next()), ("#1a1f29", values.next())] {
            let contrast = contrast(color.unwrap(), ground);
            assert!(contrast >= 3.0, "{name} on {ground}: {contrast:.2}");
            seen += 1;
        }
    }
    assert_eq!(seen, 2 * (TONES + 2));
}

/// The contrast of two colours (WCAG 2.2, relative luminance).
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |color: &str| {
        let channel = |from: usize| {
            let value = f64::from(u8::from_str_radix(&color[from..from + 2], 16).unwrap()) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn the_axis_of_times_is_drawn_where_the_times_are() {
    let axis = Axis::Time(Stretches { start: Timestamp::from_unix_nanos(0), seconds: 600, count: 6 });
    let chart = Chart::new("", Unit::Count, Form::Lines, &axis, vec![series("", &[Some(1.0); 6])]);
    let chart = chart.render().into_string();
    assert!(chart.contains("x=\"50%\" y=\"161\" text-anchor=\"middle\">00:30</text>"), "{chart}");
}
