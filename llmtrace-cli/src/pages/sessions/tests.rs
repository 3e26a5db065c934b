use llmtrace::{Message, ObservationKind, SpanId, SpanRecord, Timestamp, TraceId};

use super::list::SessionsView;
use super::one::SessionView;
use super::turn::{Said, Turn};
use super::{list, one};
use crate::pages::query::Query;
use crate::pages::sample::{HOSTILE, trace};
use crate::pages::testing::assert_sound;
use crate::store::row::Tokens;
use crate::store::sessions::{SessionPage, SessionRow};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn session() -> SessionRow {
    SessionRow {
        session: format!("a/b?c {HOSTILE}"),
        traces: 2,
        first: at("2026-11-22T08:00:00Z"),
        last: at("2026-11-22T08:20:00Z"),
        errors: 1,
        calls: 2,
        tokens: Tokens { input: Some(3_000), output: Some(40), cache_read: Some(1_500), ..Tokens::default() },
        cost: None,
        unpriced: 2,
        is_cost_lower_bound: true,
        user: Some(HOSTILE.to_owned()),
        input: Some(HOSTILE.to_owned()),
        output: None,
    }
}

fn assert_safe(page: &str) {
    assert_sound(page);
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
}

#[test]
fn the_list_links_to_each_session_whatever_its_name() {
    let query = Query::parse("after=1.2");
    let page = SessionPage { sessions: vec![session()], after: "7.8".parse().ok() };
    let now = at("2026-11-22T08:30:00Z");
    let view = SessionsView { query: &query, page: &page, now, endpoint: "", has_traces: true };
    let found = list::page(&view).into_string();
    assert_safe(&found);
    let has = |text: &str| assert!(found.contains(text), "{text} in {found}");
    has("href=\"/sessions/a%2Fb%3Fc%20%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%E2%80%AE\"");
    has("href=\"/sessions?after=7.8\"");
    has("href=\"/sessions\" rel=\"first\"");
    has("10m ago");
    // Neither the cost nor the output is known.
    assert_eq!(found.matches("title=\"not known\"").count(), 2);
}

#[test]
fn an_empty_list_says_how_to_name_a_session() {
    let (query, page) = (Query::default(), SessionPage::default());
    let now = at("2026-11-22T08:30:00Z");
    let view = SessionsView { query: &query, page: &page, now, endpoint: "http://x:1", has_traces: true };
    assert!(list::page(&view).into_string().contains("gen_ai.conversation.id"));
    let nothing = SessionsView { has_traces: false, ..view };
    assert!(list::page(&nothing).into_string().contains("OTEL_EXPORTER_OTLP_ENDPOINT=http://x:1"));
}

#[test]
fn a_session_is_a_conversation_with_links_to_its_traces() {
    let turns = [Turn::of_row(trace(1)), Turn::of_row(trace(2))];
    let session = session();
    let now = at("2026-11-22T08:30:00Z");
    let view = SessionView { session: &session, turns: &turns, before: 50, after: Some("3.4"), now };
    let found = one::page(&view).into_string();
    assert_safe(&found);
    let has = |text: &str| assert!(found.contains(text), "{text} in {found}");
    has("href=\"/traces/01010101010101010101010101010101\"");
    has("href=\"/compare?a=01010101010101010101010101010101&amp;b=02020202020202020202020202020202\"");
    has("id=\"turn-51\"");
    has("after=3.4&amp;before=52");
    has("Tokens per turn");
    has("not captured");
    has("50 % <small>of input");
}

#[test]
fn code_in_what_was_said_is_shown_as_code() {
    let mut turn = Turn::of_row(trace(1));
    let text = format!("Try this:\n```html\n{HOSTILE}\n  x\n```\nand say.");
    turn.output = Some(Said { text, is_cut: false });
    let session = session();
    let now = at("2026-11-22T08:30:00Z");
    let view = SessionView { session: &session, turns: &[turn], before: 0, after: None, now };
    let found = one::page(&view).into_string();
    assert_safe(&found);
    let has = |text: &str| assert!(found.contains(text), "{text} in {found}");
    has(
        "<div class=\"text\" dir=\"auto\">Try this:</div><pre class=\"code\"><span class=\"language\">html</span><code>",
    );
    has("\n  x\n</code></pre><div class=\"text\" dir=\"auto\">and say.</div>");
    assert!(!found.contains("```"), "{found}");
}

#[test]
fn a_turn_has_what_was_said_last() {
    let mut root = SpanRecord::new(
        TraceId::from_bytes([1; 16]).unwrap(),
        SpanId::from_bytes([1; 8]).unwrap(),
        "answer",
        ObservationKind::Agent,
        at("2026-11-22T08:00:00Z"),
        at("2026-11-22T08:00:02Z"),
    );
    let said = |root: &SpanRecord| {
        let turn = Turn::of_root(trace(1), root);
        (turn.input.map(|said| said.text), turn.output.map(|said| said.text))
    };
    assert_eq!(said(&root), (Some(HOSTILE.to_owned()), None));
    root.input = vec![Message::user("first"), Message::assistant("yes?"), Message::user("second")];
    root.output = vec![Message::assistant("it is blue")];
    assert_eq!(said(&root), (Some("second".to_owned()), Some("it is blue".to_owned())));
    root.output = vec![Message::assistant("x".repeat(5_000))];
    assert!(Turn::of_root(trace(1), &root).output.unwrap().is_cut);
}
