"""A server that has no trace yet."""

import time

from harness import Suite
from looks import CONTRAST, ORDER, nameless
from live import listening
from otlp import text
from traces import Trace

test = Suite()

PAGES = ("/traces", "/sessions", "/dashboard", "/compare", "/findings", "/scores", "/dataset")


@test
def each_page_says_what_to_do_next(at):
    for page in PAGES:
        at.browser.open(page)
        assert at.browser.has(".empty") or "no trace" in at.browser.text("main").lower(), page
        for scheme in ("light", "dark"):
            at.browser.media(prefers_color_scheme=scheme)
            assert not (bad := [*at.browser.js(CONTRAST), *at.browser.js(ORDER), *nameless(at.browser)]), (page, bad)
    at.browser.open("/traces")
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT={at.server.url}" in at.browser.text("main")


@test
def the_first_trace_appears_by_itself(at):
    at.browser.open("/traces")
    listening(at)
    trace = Trace(1, "first", "new", "production", time.time_ns())
    trace.call(0, "gpt-4o-mini", 0, 100, [text("user", "Hello")], [text("assistant", "Hello too")], (5, 5, 0))
    at.server.send(trace.request())
    at.browser.until("the first trace", lambda: at.browser.has(f"#t-{trace.id}"), 2)
