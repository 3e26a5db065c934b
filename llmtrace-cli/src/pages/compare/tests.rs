use llmtrace::{ObservationKind, SpanId, Timestamp, TraceId};

use super::asked::{Asked, GroupAsked};
use super::groups::GroupsView;
use super::picker::{Known, PickerView};
use super::{groups, picker, traces};
use crate::compare::delta::Delta;
use crate::compare::diff::{Change, MessageChange, MessageDiff, Piece};
use crate::compare::groups::{GroupComparison, GroupSide, Interval, Measure, ModelShare, Verdict};
use crate::compare::side::{Figures, SpanSide, TraceSide};
use crate::compare::traces::{SpanPair, TraceComparison};
use crate::pages::query::Query;
use crate::pages::sample::{self, HOSTILE};
use crate::pages::testing::assert_sound;
use crate::unit::Unit;

fn now() -> Timestamp {
    "2026-11-22T08:30:00Z".parse().unwrap()
}

fn figures(duration_ms: f64, cost: &str) -> Figures {
    Figures { duration_ms, cost: cost.parse().ok(), input_tokens: Some(1_000), ..Figures::default() }
}

fn trace(number: u8, figures: Figures) -> TraceSide {
    TraceSide {
        trace_id: TraceId::from_bytes([number; 16]).unwrap(),
        name: HOSTILE.to_owned(),
        service: Some(HOSTILE.to_owned()),
        start: now(),
        spans: 2,
        errors: 1,
        calls: 1,
        models: vec![HOSTILE.to_owned()],
        figures,
    }
}

fn span(number: u8, figures: Figures) -> SpanSide {
    SpanSide {
        span_id: SpanId::from_bytes([number; 8]).unwrap(),
        name: "chat".to_owned(),
        kind: ObservationKind::Generation,
        model: Some("gpt-4o".to_owned()),
        status: "error",
        status_message: Some(HOSTILE.to_owned()),
        figures,
    }
}

fn compared() -> TraceComparison {
    let (fast, slow) = (figures(1_000.0, "0.01"), figures(1_500.0, "0.04"));
    let piece = |change, text: &str| Piece { change, text: text.to_owned() };
    let message = MessageChange {
        role: "user".to_owned(),
        change: Change::Changed,
        pieces: vec![
            piece(Change::Same, "tell "),
            piece(Change::Removed, HOSTILE),
            piece(Change::Added, "me"),
        ],
        cut_bytes: 12,
    };
    let pair = |a: Option<SpanSide>, b: Option<SpanSide>, messages| SpanPair {
        depth: 40,
        deltas: Delta::of(a.as_ref().map(|side| &side.figures), b.as_ref().map(|side| &side.figures)),
        a,
        b,
        messages,
    };
    let diff = MessageDiff { input: vec![message], output: Vec::new(), left_out: 3 };
    TraceComparison {
        a: trace(1, fast),
        b: trace(2, slow),
        totals: Delta::of(Some(&fast), Some(&slow)),
        rows: vec![
            pair(Some(span(3, fast)), Some(span(4, slow)), Some(diff)),
            pair(None, Some(span(5, slow)), None),
        ],
        left_out: 7,
    }
}

#[test]
fn two_traces_stand_side_by_side() {
    let page = traces::page(&compared(), now()).into_string();
    assert_sound(&page);
    assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{page}");
    let has = |text: &str| assert!(page.contains(text), "{text} in {page}");
    has("href=\"/compare?a=02020202020202020202020202020202&amp;b=01010101010101010101010101010101\">Swap");
    has("href=\"/traces/01010101010101010101010101010101?span=0303030303030303\"");
    has("href=\"/traces/02020202020202020202020202020202?span=0505050505050505\"");
    has("<span class=\"grew\">4.0x</span>");
    has("<span class=\"grew\">+50 %</span>");
    has("1 changed");
    has("<ins>me</ins>");
    has("<del>&quot;&gt;&lt;script&gt;");
    has("12 bytes more were not compared");
    has("7 more rows are left out");
    has("only in B");
    // The bars of the cost: a fourth, and all of it.
    has("class=\"side-a\" x=\"0\" y=\"1\" height=\"5\" rx=\"1\" width=\"25.00%\"");
    // However deep a span lies, its name has room.
    has("width=\"168\" height=\"1\"");
}

fn measure(name: &'static str, unit: Unit, change: Option<Interval>, verdict: Verdict) -> Measure {
    Measure {
        name,
        unit,
        a: Some(0.5),
        b: Some(0.6),
        a_sample: 1_000,
        b_sample: 40,
        change,
        is_factor: unit != Unit::Share,
        verdict,
    }
}

#[test]
fn two_groups_stand_in_figures() {
    let change = |value, low, high| Some(Interval { value, low, high });
    let side =
        |label: &str| GroupSide { label: label.to_owned(), calls: 10, errors: 1, ..GroupSide::default() };
    let compared = GroupComparison {
        a: side(HOSTILE),
        b: side("v2"),
        measures: vec![
            measure("cost per call", Unit::Usd, change(1.12, 0.97, 1.28), Verdict::Unclear),
            measure("latency", Unit::Ms, change(2.4, 2.0, 3.0), Verdict::Higher),
            measure("errors", Unit::Share, change(-0.012, -0.02, -0.004), Verdict::Lower),
            measure("cost", Unit::Usd, None, Verdict::Unjudged),
        ],
        models: vec![ModelShare { model: Some(HOSTILE.to_owned()), a_calls: 10, b_calls: 0 }],
    };
    let query = Query::parse("a_tag=v1&b_tag=v2");
    let Asked::Groups(asked) = Asked::read(&query) else { panic!("no groups") };
    let known = Known { tags: vec![HOSTILE.to_owned()], ..Known::default() };
    let view = GroupsView { query: &query, asked: &asked, compared: &compared, is_cut: true, known: &known };
    let page = groups::page(&view).into_string();
    assert_sound(&page);
    assert!(!page.contains("<script>alert"), "{page}");
    let has = |text: &str| assert!(page.contains(text), "{text} in {page}");
    has("<b>+12 %</b><div class=\"muted\">-3 % to +28 %</div>");
    has("<b>2.4x</b><div class=\"muted\">2.0x to 3.0x</div>");
    has("<b>-1.2 pt</b><div class=\"muted\">-2.0 pt to -0.4 pt</div>");
    has("may be chance");
    has("B is higher");
    has("B is lower");
    has("not judged");
    has("href=\"/traces?tag=v1\"");
    has("name=\"b_tag\" value=\"v2\"");
}

#[test]
fn the_address_says_what_to_compare() {
    let one = "01010101010101010101010101010101";
    let id = TraceId::from_bytes([1; 16]).unwrap();
    let check =
        |query: &str, expected: Asked| assert_eq!(Asked::read(&Query::parse(query)), expected, "{query}");
    check("", Asked::Nothing);
    check(&format!("a={one}"), Asked::First(id));
    check(&format!("b={one}&a_tag=x"), Asked::First(id));
    check(&format!("a={one}&b={one}"), Asked::Traces(id, id));
    check("a=xyz", Asked::Wrong("a"));
    check("a_since=yesterday", Asked::Wrong("a_since"));
    let tagged = |tag: &str| GroupAsked { tag: Some(tag.to_owned()), ..GroupAsked::default() };
    check("a_tag=v1&b_tag=v2", Asked::Groups(Box::new([tagged("v1"), tagged("v2")])));
    let since = GroupAsked { since: "2026-11-22T00:00:00Z".parse().ok(), ..GroupAsked::default() };
    check("b_since=2026-11-22", Asked::Groups(Box::new([GroupAsked::default(), since.clone()])));
    assert_eq!(
        (since.label(), GroupAsked::default().label()),
        ("from 2026-11-22".to_owned(), "all".to_owned())
    );
    assert_eq!(since.href(), "/traces?since=2026-11-22T00%3A00%3A00.000000000Z");
}

#[test]
fn what_to_compare_can_be_picked() {
    let (query, known) = (Query::default(), Known::default());
    let row = sample::trace(1);
    let traces = [row.clone(), row.clone()];
    let view = PickerView { query: &query, first: None, traces: &traces, known: &known, now: now() };
    let both = picker::page(&view).into_string();
    assert_sound(&both);
    assert_eq!((both.matches("name=\"a\"").count(), both.matches("name=\"b\"").count()), (2, 2));
    let second = picker::page(&PickerView { first: Some(&row), ..view }).into_string();
    assert_sound(&second);
    assert!(second.contains(&format!("type=\"hidden\" name=\"a\" value=\"{}\"", row.trace_id)), "{second}");
    assert_eq!(second.matches("type=\"radio\" name=\"a\"").count(), 0);
}
