"""New traces come into pages that stand open."""

import time

from harness import Suite
from otlp import MS, text
from traces import Trace

test = Suite()

SOON_S = 2


def fresh(at, name: str) -> Trace:
    """A trace that begins now."""
    trace = Trace(len(at.world.traces) + 1, name, "late", "production", time.time_ns())
    at.world.traces.append(trace)
    return trace


@test
def a_new_trace_appears_within_two_seconds(at):
    at.browser.open("/traces")
    listening(at)
    trace = fresh(at, "newcomer")
    trace.call(0, "gpt-4o-mini", 0, 100, [text("user", "Hello")], [text("assistant", "Hello too")], (5, 5, 0), 0.0001)
    at.server.send(trace.request())
    at.browser.until("the new trace", lambda: at.browser.has(f"#t-{trace.id}"), SOON_S)
    assert at.browser.attributes(".traces tbody tr", "id")[0] == f"t-{trace.id}"


@test
def what_does_not_match_the_filter_does_not_appear(at):
    at.browser.open("/traces?service=planner")
    listening(at)
    other, wanted = fresh(at, "other"), fresh(at, "wanted")
    wanted.service = "planner"
    for trace in (other, wanted):
        trace.add(0, trace.name, "agent", 0, 10, {})
        at.server.send(trace.request())
    at.browser.until("the trace that matches", lambda: at.browser.has(f"#t-{wanted.id}"), SOON_S)
    assert not at.browser.has(f"#t-{other.id}")


@test
def nothing_moves_under_the_reader(at):
    """Who reads further down gets a word of new traces, and takes them in by a click."""
    at.browser.open("/traces")
    listening(at)
    at.browser.js("scrollTo(0, 900)")
    before = at.browser.attributes(".traces tbody tr", "id")
    trace = fresh(at, "while reading")
    trace.add(0, "while reading", "agent", 0, 10, {})
    at.server.send(trace.request())
    at.browser.until("a word of it", lambda: at.browser.texts(".arrived button") == ["1 new trace"], SOON_S)
    assert at.browser.attributes(".traces tbody tr", "id") == before and at.browser.js("return scrollY") > 800
    at.browser.one(".arrived button").click()
    at.browser.until("the new trace", lambda: at.browser.has(f"#t-{trace.id}"), SOON_S)


@test
def a_running_trace_grows_and_ends(at):
    trace = at.world.running
    at.browser.open(f"/traces/{trace.id}")
    assert at.browser.text(".trace-head .badge") == "running"
    listening(at)
    trace.spans.clear()
    trace.add(99, "third", "tool", 700, 200, {})
    trace.spans[0].id = 3
    at.server.send(trace.request())
    at.browser.until("the third span", lambda: at.browser.has("#s-0000000000000003"), SOON_S)
    trace.spans.clear()
    trace.add(0, "long job", "workflow", 0, 2_000, {})
    trace.spans[0].id = 99
    at.server.send(trace.request())
    at.browser.until("its end", lambda: at.browser.text(".trace-head .badge") == "ok", SOON_S)
    assert trace.start + 2_000 * MS == trace.end
    assert at.browser.attributes(".waterfall tbody tr", "aria-level") == ["1", "2", "2", "2"]


@test
def what_comes_while_the_page_loads_is_not_missed(at):
    """A trace is stored after the page was made, and before it listens."""
    heard = at.browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source":
        "window.EventSource = class extends EventTarget { constructor() { super(); window.source = this } close() {} }"})
    at.browser.open("/traces")
    at.browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", heard)
    at.browser.until("the page wants to listen", lambda: at.browser.js("return window.source !== undefined"))
    trace = fresh(at, "in between")
    trace.add(0, "in between", "agent", 0, 10, {})
    at.server.send(trace.request())
    now = at.browser.js("""return fetch('/traces?part=rows').then(answer => answer.text()).then(text =>
        Math.max(...[...text.matchAll(/data-change="(\\d+)"/g)].map(found => Number(found[1]))))""")
    at.browser.js("source.dispatchEvent(new MessageEvent('commit', { data: String(arguments[0]) }))", now)
    at.browser.until("the trace", lambda: at.browser.has(f"#t-{trace.id}"), SOON_S)


@test
def many_tabs_do_not_starve_each_other(at):
    """A browser opens six connections to a server, however many tabs there are."""
    driver, first = at.browser.driver, at.browser.driver.current_window_handle
    try:
        for _ in range(8):
            driver.switch_to.new_window("tab")
            driver.set_page_load_timeout(10)
            at.browser.open("/traces")
    finally:
        for tab in set(driver.window_handles) - {first}:
            driver.switch_to.window(tab)
            driver.close()
        driver.switch_to.window(first)
        driver.set_page_load_timeout(60)


def listening(at) -> None:
    """Waits until the page hears of commits."""
    at.browser.until("the page listens", lambda: at.browser.js("return window.heard"))
