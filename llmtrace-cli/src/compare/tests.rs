//! Traces of any shape side by side.

use llmtrace::{Message, ObservationKind as Kind, SpanId, SpanRecord, Timestamp, TraceId};

use super::diff::Change;
use super::{Group, groups, traces};

/// A span: its number, its parent's (0 is none), its kind and its name; it starts when its number says.
fn span(id: u64, parent: u64, kind: Kind, name: &str) -> SpanRecord {
    let span_id = |id: u64| SpanId::from_bytes(id.to_be_bytes());
    let at = |ms: u64| Timestamp::from_unix_nanos(ms * 1_000_000);
    let trace = TraceId::from_bytes([1; 16]).unwrap();
    let mut span = SpanRecord::new(trace, span_id(id).unwrap(), name.to_owned(), kind, at(id), at(id + 5));
    span.parent_span_id = span_id(parent);
    span
}

type Drawn<'a> = &'a [(u64, u64, Kind, &'a str)];

fn spans(drawn: Drawn<'_>) -> Vec<SpanRecord> {
    drawn.iter().map(|(id, parent, kind, name)| span(*id, *parent, *kind, name)).collect()
}

#[test]
fn trees_are_aligned_by_kind_and_name() {
    let check = |a: Drawn<'_>, b: Drawn<'_>, expected: &str| {
        let compared = traces(&spans(a), &spans(b)).unwrap();
        let rows = compared.rows.iter().map(|row| {
            let name = |side: &Option<super::side::SpanSide>| {
                side.as_ref().map_or("-".to_owned(), |side| side.name.clone())
            };
            format!("{}{}/{}", ".".repeat(row.depth as usize), name(&row.a), name(&row.b))
        });
        assert_eq!(rows.collect::<Vec<_>>().join(" "), expected);
    };
    let one = [
        (1, 0, Kind::Agent, "run"),
        (2, 1, Kind::Tool, "a"),
        (3, 1, Kind::Tool, "b"),
        (4, 3, Kind::Span, "c"),
    ];
    check(&one, &one, "run/run .a/a .b/b ..c/c");
    let without = [(1, 0, Kind::Agent, "run"), (3, 1, Kind::Tool, "b"), (4, 3, Kind::Span, "c")];
    check(&one, &without, "run/run .a/- .b/b ..c/c");
    check(&without, &one, "run/run .-/a .b/b ..c/c");
    // What only one side has takes what is below it along.
    check(&one, &[(1, 0, Kind::Agent, "run")], "run/run .a/- .b/- ..c/-");
    // The name of a call tells its model, that of a tool what it does.
    let call = |name| [(1, 0, Kind::Generation, name)];
    check(&call("chat gpt-4o"), &call("chat gpt-4.1"), "chat gpt-4o/chat gpt-4.1");
    check(&[(1, 0, Kind::Tool, "a")], &[(1, 0, Kind::Tool, "b")], "a/- -/b");
    check(&[(1, 0, Kind::Tool, "a")], &[(1, 0, Kind::Agent, "a")], "a/- -/a");
    // A parent that never came, and spans that are their own ancestors.
    check(&[(2, 9, Kind::Tool, "a")], &[(2, 0, Kind::Tool, "a")], "a/a");
    let circle = [(1, 2, Kind::Span, "a"), (2, 1, Kind::Span, "b"), (3, 3, Kind::Span, "c")];
    check(&circle, &circle, "a/a .b/b c/c");
}

#[test]
fn no_spans_are_no_trace() {
    assert!(traces(&[], &spans(&[(1, 0, Kind::Tool, "a")])).is_none());
}

#[test]
fn deep_and_wide_traces_take_little_time() {
    let deep: Vec<_> = (1..=20_000).map(|id| span(id, id - 1, Kind::Span, "step")).collect();
    let compared = traces(&deep, &deep).unwrap();
    assert_eq!((compared.rows.len(), compared.left_out), (5_000, 15_000));
    let wide: Vec<_> = (1..=50_000).map(|id| span(id, u64::from(id > 1), Kind::Span, "step")).collect();
    assert_eq!(traces(&wide, &deep).unwrap().left_out, 50_000 + 20_000 - 2 - 5_000);
    let circles: Vec<_> = (1..=50_000).map(|id| span(id, id, Kind::Span, "step")).collect();
    assert_eq!(traces(&circles, &circles).unwrap().left_out, 45_000);
}

#[test]
fn messages_are_paired_by_role_and_text() {
    let said = |messages: &[(&str, &str)]| {
        let mut span = span(1, 0, Kind::Generation, "chat");
        let message =
            |(role, text): &(&str, &str)| Message::new((*role).into(), vec![llmtrace::Part::text(*text)]);
        span.input = messages.iter().map(message).collect();
        vec![span]
    };
    let check = |a: &[(&str, &str)], b: &[(&str, &str)], expected: &[(&str, Change)]| {
        let compared = traces(&said(a), &said(b)).unwrap();
        let messages = compared.rows.first().unwrap().messages.clone().unwrap_or_default();
        let changes: Vec<_> =
            messages.input.iter().map(|change| (change.role.as_str(), change.change)).collect();
        assert_eq!(changes, expected);
    };
    let (system, user, answer) = (("system", "be kind"), ("user", "why?"), ("assistant", "because"));
    check(&[system, user], &[system, user], &[]);
    check(
        &[system, user],
        &[system, user, answer, user],
        &[
            ("system", Change::Same),
            ("user", Change::Same),
            ("assistant", Change::Added),
            ("user", Change::Added),
        ],
    );
    check(
        &[system, user],
        &[("system", "be brief"), user],
        &[("system", Change::Changed), ("user", Change::Same)],
    );
    check(&[system, user], &[user], &[("system", Change::Removed), ("user", Change::Same)]);
}

#[test]
fn empty_sets_say_nothing() {
    let compared = groups(&Group::new("a"), &Group::new("b"));
    assert!(compared.measures.iter().all(|measure| measure.change.is_none()), "{compared:?}");
    assert!(compared.models.is_empty());
}
