"""Traces that try to do harm: nothing runs, nothing hangs, every page answers. The harness looks for what ran."""

import time
from urllib.parse import quote

import hostile
import otlp
from harness import Suite
from looks import ORDER
from narrow import WIDE
from trace_page import is_in_pane, rows

test = Suite()

BOUND_S = 10

ALIVE = """
const bad = [...document.querySelectorAll('main script, main img, main iframe, main object, main embed, main base, main meta, main style')].map(e => e.outerHTML.slice(0, 80));
for (const element of document.querySelectorAll('*')) for (const { name, value } of element.attributes) {
  if (name.startsWith('on')) bad.push(`${element.tagName} ${name}`);
  if (['href', 'src', 'action', 'formaction'].includes(name) && /^\\s*(javascript|data|vbscript):/i.test(value) && !element.matches('link[rel=icon]')) bad.push(`${name}=${value.slice(0, 40)}`);
}
if (/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.innerText)) bad.push('text is turned around');
return bad;
"""


def path(name: str, span: int = 0, **more) -> str:
    query = ({"span": otlp.span_id(span)} if span else {}) | more
    return f"/traces/{otlp.trace_id(hostile.NUMBERS[name])}" + ("?" + "&".join(f"{key}={held}" for key, held in query.items()) if query else "")


def look(at, address: str) -> None:
    """Opens a page, which is to be there soon and to be sound, wide and narrow."""
    began = time.monotonic()
    at.browser.open(address)
    taken = time.monotonic() - began
    assert taken < BOUND_S, f"{address} took {taken:.1f} s"
    assert not (alive := at.browser.js(ALIVE)), (address, alive)


@test
def words_do_no_harm_on_any_page(at):
    words = quote(hostile.HOSTILE, safe="")
    pages = ["/traces", "/sessions", "/dashboard?range=all", "/dashboard?range=all&by=user", "/findings?range=all", "/compare", "/scores", "/dataset",
             f"/traces?q={words}", f"/scores?name={words}", f"/sessions/{words}", f"/traces?tag={words}&user={words}&session={words}",
             f"/compare?a={otlp.trace_id(hostile.NUMBERS['words'])}&b={otlp.trace_id(hostile.NUMBERS['twice'])}", f"/compare?a_tag={words}&b_tag=__proto__",
             *(path("words", span, tab=tab) for span in (1, 2, 3) for tab in ("messages", "attributes", "events", "scores", "raw"))]
    for address in pages:
        look(at, address)
        assert not (wrong := at.browser.js(ORDER)), (address, wrong)
        assert not (wrong := at.browser.js(WIDE)), (address, wrong)
    at.browser.size(390, 844)
    for address in pages:
        at.browser.open(address)
        assert not (wrong := at.browser.js(WIDE)), (address, wrong)


@test
def links_of_the_data_are_dead(at):
    at.browser.open(path("words", 2))
    leads = at.browser.js("return [...document.querySelectorAll('main a[href]')].filter(a => a.origin !== location.origin).map(a => [a.href, a.rel])")
    assert leads and all(href.startswith("https://evil.invalid/") and "noopener" in rel and "noreferrer" in rel for href, rel in leads), leads


@test
def hostile_words_are_read_as_they_are(at):
    at.browser.open(path("words", 3))
    assert "<script>window.pwned=1</script>" in at.browser.text(".pane h2")
    at.browser.open("/traces?q=pwned")
    assert at.browser.has(".traces tbody tr") and "<script>" in at.browser.text(".traces tbody")


@test
def a_message_of_ten_megabytes_has_its_page(at):
    for tab in ("messages", "attributes", "raw"):
        look(at, path("long", 1, tab=tab))
        assert at.browser.js("return document.documentElement.outerHTML.length") < 2_000_000
    at.browser.open(path("long", 1))
    assert "10.0 MB" in at.browser.text(".pane")
    status, body = at.server.request(at.browser.attributes(".pane a[download]", "href")[0])
    assert status == 200 and len(body) > hostile.LONG_BYTES


@test
def a_tree_of_ten_thousand_levels_has_its_page(at):
    look(at, path("deep"))
    found = rows(at.browser)
    assert found == list(range(1, 1_001))
    look(at, path("deep", hostile.DEEP))
    assert rows(at.browser)[-1] == hostile.DEEP and is_in_pane(at.browser, hostile.DEEP)()
    at.browser.press("h", "h", "h")
    look(at, f"/compare?a={otlp.trace_id(hostile.NUMBERS['deep'])}&b={otlp.trace_id(hostile.NUMBERS['many'])}")


@test
def a_trace_of_twenty_thousand_spans_is_paged(at):
    look(at, path("many"))
    seen = rows(at.browser)
    assert len(seen) == 1_000 and "1–1,000 of 20,000" in at.browser.text(".pager").replace(" ", " ")
    at.browser.follow(at.browser.link("Later").click)
    second = rows(at.browser)
    assert len(second) == 1_000 and not set(seen) & set(second)
    look(at, path("many", 15_000))
    assert is_in_pane(at.browser, 15_000)() and 15_000 in rows(at.browser)
    assert at.browser.text("#s-0000000000003a98 .failure") == "broken"
    at.browser.press("j", "j", "k")
    at.browser.until("keys work", lambda: at.browser.text(".pane-head .id") != otlp.span_id(15_000))


@test
def rings_and_missing_parents_are_marked(at):
    look(at, path("cycle"))
    assert sorted(rows(at.browser)) == [1, 2, 3, 4, 5]
    said = at.browser.text(".waterfall tbody")
    assert "cycle" in said and ("parent missing" in said or "parent not ended" in said), said


@test
def odd_times_are_shown(at):
    look(at, path("times"))
    assert sorted(rows(at.browser)) == [1, 2, 3, 4] and "clock" in at.browser.text(".waterfall tbody")
    boxes = at.browser.js("return [...document.querySelectorAll('.waterfall tbody td.time rect')].map(r => [r.getBoundingClientRect().left, r.getBoundingClientRect().right])")
    right = at.browser.js("return document.querySelector('.waterfall').getBoundingClientRect().right")
    assert boxes and all(right + 1 >= box[1] >= box[0] >= 0 for box in boxes), boxes


@test
def a_span_that_came_twice_is_there_once(at):
    look(at, path("twice"))
    assert rows(at.browser) == [1] and at.browser.text("#s-0000000000000001 a.title") == "second"
