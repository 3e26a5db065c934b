use llmtrace::Timestamp;

use super::*;
use crate::pages::sample::HOSTILE;
use crate::pages::testing::assert_sound;
use crate::store::dashboard::GroupKey;
use crate::store::row::Tokens;

fn now() -> Timestamp {
    "2026-11-22T08:30:00Z".parse().unwrap()
}

fn call(input: u64, cost: Option<&str>) -> Sums {
    let tokens =
        Tokens { input: Some(input), output: Some(7), cache_read: Some(input / 2), ..Tokens::default() };
    Sums::of_call(tokens, cost.map(|cost| cost.parse().unwrap()), 1_200, Some(300))
}

fn dashboard(name: &str) -> Dashboard {
    let group = |key: GroupKey, cost: Option<&str>| DashboardGroup {
        key,
        total: call(1_000, cost),
        points: vec![Sums::default(), call(1_000, cost)],
    };
    let mut total = call(1_000, Some("0.25"));
    total.merge(&call(1_000, None));
    Dashboard {
        first: "2026-11-22T07:30:00Z".parse().unwrap(),
        step: std::time::Duration::from_secs(1_800),
        points: vec![Sums::default(), total.clone()],
        total,
        groups: vec![group(GroupKey::Named(name.to_owned()), Some("0.25")), group(GroupKey::Unnamed, None)],
    }
}

fn page(query: &str, dashboard: &Dashboard) -> String {
    let query = Query::parse(query);
    let range = Range::read(&query, now(), None);
    let view = DashboardView {
        by: asked(&query, range).by,
        query: &query,
        range,
        dashboard,
        before: Some(&dashboard.groups.first().map_or_else(Sums::default, |group| group.total.clone())),
        models: &dashboard.groups,
        users: &[],
        traces: &[],
        names: &[NameCost { name: HOSTILE.to_owned(), calls: 1, cost: Usd::from_pico(5) }],
        endpoint: "http://127.0.0.1:4318",
        has_traces: true,
    };
    let page = view.body().into_string();
    assert_sound(&page);
    page
}

#[test]
fn figures_say_what_is_not_known_and_link_to_their_list() {
    let found = page("range=1h&model=gpt-4o", &dashboard("gpt-4o"));
    let has = |text: &str| assert!(found.contains(text), "{text} in {found}");
    has("≥\u{202f}$0.25");
    has(
        "href=\"/traces?since=2026-11-22T07%3A30%3A00Z&amp;until=2026-11-22T08%3A30%3A00Z&amp;model=gpt-4o&amp;sort=costliest\"",
    );
    has("(no model)");
    has("1.19 s");
    has("50 %");
    // The time before had half the calls.
    has("100 %<span class=\"visually-hidden\"> more than before");
    has("href=\"/dashboard?range=1h&amp;model=gpt-4o&amp;by=user\"");
    has("$0.000000000005");
    has("href=\"/dashboard?range=1h\" title=\"Remove this filter\"");
}

#[test]
fn hostile_names_are_text() {
    let name = "\"><script>alert(1)</script>\u{202e}";
    let found = page("", &dashboard(name));
    assert!(!found.contains("<script>"), "{found}");
    assert!(found.contains("&quot;&gt;&lt;script&gt;"), "{found}");
    assert!(!found.contains('\u{202e}'), "{found}");
}

#[test]
fn nothing_is_said_of_an_empty_time() {
    let found = page("range=1h", &Dashboard::default());
    assert!(found.contains("No call in this time"), "{found}");
    assert!(found.contains("href=\"/dashboard?range=all\""), "{found}");
    assert!(page("by=user", &Dashboard::default()).contains("No call names a user"));
}

#[test]
fn the_address_asks_the_store() {
    let check = |text: &str, by: DashboardBy, model: Option<&str>| {
        let query = Query::parse(text);
        let asked = asked(&query, Range::read(&query, now(), None));
        assert_eq!((asked.by, asked.model.as_deref()), (by, model), "{text}");
    };
    check("", DashboardBy::Model, None);
    check("by=service&model=a", DashboardBy::Service, Some("a"));
    check("by=user&model=a", DashboardBy::User, None);
    check("by=nonsense", DashboardBy::Model, None);
}
