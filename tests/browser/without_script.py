"""Without JavaScript: reading, filters, and the form of a score."""

from harness import Suite
from list_page import menu, query, shown
from pages import usual
from trace_page import path, rows, support

test = Suite()


@test
def no_script_runs(at):
    at.browser.open("/traces")
    assert at.browser.js("return document.querySelector('[data-theme-toggle]').hidden && document.querySelector('[data-help]').hidden")


@test
def every_page_reads(at):
    for name, address in usual(at.world).items():
        at.browser.open(address)
        assert at.browser.has("main h1") and len(at.browser.text("main")) > 60, name


@test
def filters_work(at):
    at.browser.open("/traces?limit=500")
    place = menu(at.browser, "Service")
    at.browser.follow(at.browser.link("planner", place).click)
    assert set(shown(at.browser)) == at.world.matching(lambda trace: trace.service == "planner")
    place = menu(at.browser, "Figures")
    at.browser.fill(f"{place} [name=min_tokens]", "100")
    at.browser.follow(at.browser.link("Apply", place).click)
    assert set(shown(at.browser)) == at.world.matching(lambda trace: trace.service == "planner" and trace.tokens >= 100)
    at.browser.follow(at.browser.one(".filters .chip a").click)
    assert "planner" not in query(at.browser).values()


@test
def search_and_pages_work(at):
    at.browser.open("/traces?limit=20")
    first = shown(at.browser)
    at.browser.follow(at.browser.one("[data-next]").click)
    assert len(shown(at.browser)) == 20 and not set(first) & set(shown(at.browser))
    at.browser.fill("#search", "zanzibar")
    at.browser.follow(lambda: at.browser.press("Enter"))
    assert len(shown(at.browser)) == 1


@test
def spans_and_tabs_are_links(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace))
    assert rows(at.browser) == [1, 2, 3, 4, 5]
    at.browser.follow(at.browser.one("#s-0000000000000004 a.title").click)
    assert "look_up" in at.browser.text(".pane h2")
    at.browser.follow(at.browser.link("Raw", ".tabs").click)
    assert '"trace_id"' in at.browser.text(".pane .tab")


@test
def a_score_is_added(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace, 2, tab="scores"))
    form = "form[aria-label=Score]"
    at.browser.fill(f"{form} [name=name]", "scriptless")
    at.browser.fill(f"{form} [name=value]", "0.5")
    at.browser.follow(at.browser.one(f"{form} button[type=submit]").click)
    assert "tab=scores" in at.browser.path and any("scriptless" in text for text in at.browser.texts(".scores li"))


@test
def groups_and_traces_are_compared(at):
    at.browser.open("/compare")
    at.browser.fill("[name=a_tag]", "v1")
    at.browser.fill("[name=b_tag]", "v2")
    at.browser.follow(at.browser.one(".group-forms button[type=submit]").click)
    assert query(at.browser)["a_tag"] == "v1" and query(at.browser)["b_tag"] == "v2"
    at.browser.open("/compare")
    at.browser.follow(at.browser.link("Compare", "form.stack").click)
    assert at.browser.has("table.pairs")
