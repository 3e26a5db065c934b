"""Two traces side by side, and two sets of spans in figures."""

import time as clock
from urllib.parse import parse_qs, urlsplit

from harness import Suite
from trace_page import path, support

test = Suite()


def query(browser) -> dict:
    return {name: values[0] for name, values in parse_qs(urlsplit(browser.path).query).items()}


def totals(browser) -> dict:
    rows = browser.js("return [...document.querySelectorAll('table.totals tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))")
    return {row[0]: row[1:4] for row in rows}


@test
def from_a_trace_to_the_comparison_with_another(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace))
    at.browser.follow(at.browser.link("Compare", ".trace-head").click)
    assert query(at.browser) == {"a": trace.id}
    choices = at.browser.all("table.choose input[name=b]")
    other = choices[1].get_attribute("value")
    choices[1].click()
    at.browser.follow(at.browser.link("Compare", "form").click)
    assert query(at.browser) == {"a": trace.id, "b": other}
    assert [href.split("?")[0] for href in at.browser.attributes(".sides h2 a", "href")] == [f"/traces/{trace.id}", f"/traces/{other}"]


@test
def two_traces_stand_side_by_side(at):
    failed, good = support(at, lambda trace: trace.status == "error"), support(at, lambda trace: trace.status == "ok")
    at.browser.open(f"/compare?a={good.id}&b={failed.id}")
    rows = at.browser.texts("table.pairs tbody tr:not(.diff-row)")
    assert len(rows) == 5 and sum("only in A" in row for row in rows) == 1, rows
    found = totals(at.browser)
    assert found, at.browser.text("main")
    assert found["reasoning"] == ["24", "24", "="] and found["output"][:2] == ["150", "60"] and found["cost"][2].endswith("%"), found
    assert "ConnectionError" in " ".join(rows)
    at.browser.follow(at.browser.link("Swap A and B").click)
    assert query(at.browser) == {"a": failed.id, "b": good.id}


@test
def messages_are_told_apart(at):
    first, second = [trace for trace in at.world.traces if trace.session == "session-02" and trace.status == "ok"][:2]
    at.browser.open(f"/compare?a={first.id}&b={second.id}")
    at.browser.one(".diff-row summary").click()
    said = at.browser.js("return document.querySelector('.diff-row details').textContent")
    first_question, second_question = (trace.spans[0].attributes["gen_ai.input.messages"][0]["parts"][0]["content"] for trace in (first, second))
    assert first_question in said and second_question in said, said[:600]


@test
def two_tags_in_figures(at):
    at.browser.open("/compare")
    at.browser.fill("[name=a_tag]", "v1")
    at.browser.fill("[name=b_tag]", "v2")
    at.browser.follow(at.browser.one(".group-forms button[type=submit]").click)
    assert query(at.browser) == {"a_tag": "v1", "b_tag": "v2"}
    counts = at.browser.js("return [...document.querySelectorAll('.side')].map(s => s.querySelector('.tiles dd').innerText.trim())")
    assert counts == [str(len(at.world.matching(lambda trace: tag in trace.tags))) for tag in ("v1", "v2")], counts
    assert at.browser.attributes(".sides h2 a", "href") == ["/traces?tag=v1", "/traces?tag=v2"]
    assert "latency" in at.browser.text("main").lower()


@test
def two_times_in_figures(at):
    at.browser.open("/compare")
    middle = at.world.traces[len(at.world.traces) // 2].start // 10**9
    moment = clock.strftime("%Y-%m-%dT%H:%M:%SZ", clock.gmtime(middle))
    at.browser.fill("[name=a_until]", moment)
    at.browser.fill("[name=b_since]", moment)
    at.browser.follow(at.browser.one(".group-forms button[type=submit]").click)
    counts = at.browser.js("return [...document.querySelectorAll('.side')].map(s => s.querySelector('.tiles dd').innerText.trim())")
    before = len(at.world.matching(lambda trace: trace.start < middle * 10**9))
    assert counts == [str(before), str(len(at.world.traces) - before)], counts


@test.expecting("400", "404")
def what_cannot_be_compared_says_why(at):
    for address, words in (("/compare?a=xyz", "xyz"), (f"/compare?a={'0' * 31}1&b={'0' * 31}2", "no trace")):
        at.browser.open(address)
        assert words in at.browser.text("main"), at.browser.text("main")
