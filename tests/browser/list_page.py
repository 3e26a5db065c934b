"""The list of traces: filters, search, sort, pages, keys."""

import re
from urllib.parse import parse_qs, quote, urlsplit

from harness import Suite
from traces import QUESTIONS, SEARCHED

test = Suite()

ALL = "/traces?limit=500"

# The title of a menu, what is chosen in it, and which traces that lets through.
MENUS = [
    ("Status", "error", lambda trace: trace.status == "error"),
    ("Status", "running", lambda trace: trace.status == "running"),
    ("Kind", "retriever", lambda trace: "retriever" in trace.kinds),
    ("Model", "gpt-4o-mini", lambda trace: "gpt-4o-mini" in trace.models),
    ("Provider", "anthropic", lambda trace: "anthropic" in trace.providers),
    ("Service", "docs-worker", lambda trace: trace.service == "docs-worker"),
    ("Environment", "staging", lambda trace: trace.environment == "staging"),
    ("Session", "session-03", lambda trace: trace.session == "session-03"),
    ("User", "chloé", lambda trace: trace.user == "chloé"),
    ("Tag", "v2", lambda trace: "v2" in trace.tags),
    ("Span", "look_up", lambda trace: any(span.name == "look_up" for span in trace.spans)),
]

# What is written into a menu's fields.
FIELDS = [
    ("Figures", {"min_tokens": "2500"}, lambda trace: trace.tokens >= 2_500),
    ("Figures", {"min_ms": "1500", "max_ms": "1900"}, lambda trace: 1_500 <= length_ms(trace) <= 1_900),
    ("Score", {"score": "helpful>=0.5"}, lambda trace: any(value >= 0.5 for value in helpful(trace))),
    ("Time", {"since": "2h", "until": "30m"}, None),
]

# The head of a column, and what it sorts by.
SORTS = [("Latency", lambda trace: length_ms(trace)), ("Tokens", lambda trace: trace.tokens)]


def length_ms(trace) -> float:
    return (trace.end - min(span.start for span in trace.spans)) / 1e6


def helpful(trace) -> list[float]:
    values = [event["attributes"][1]["value"]["doubleValue"] for span in trace.spans for event in span.events
              if event["name"] == "gen_ai.evaluation.result"]
    return values


def shown(browser) -> list[str]:
    """The ids of the traces in the list, in order."""
    return [row.removeprefix("t-") for row in browser.attributes(".traces tbody tr", "id")]


def query(browser) -> dict:
    return {name: values[0] for name, values in parse_qs(urlsplit(browser.path).query).items()}


def menu(browser, title: str):
    """Opens a menu of the bar and answers with its CSS selector."""
    place = browser.js("const all = [...document.querySelectorAll('.menubar details.menu')];"
                       "return all.findIndex(menu => menu.querySelector('summary').innerText.trim() === arguments[0])", title)
    assert place >= 0, f"no menu {title!r}; there are {browser.texts('.menubar details.menu summary')}"
    browser.js("document.querySelectorAll('.menubar details.menu')[arguments[0]].dataset.asked = 'yes'", place)
    browser.one("[data-asked] > summary").click()
    return "[data-asked]"


def remove_chip(browser) -> None:
    browser.follow(browser.one(".filters .chip a").click)


@test
def each_menu_filters_and_its_chip_takes_the_filter_out(at):
    for title, chosen, lets_through in MENUS:
        at.browser.open(ALL)
        everything = shown(at.browser)
        assert set(everything) == at.world.matching(lambda _: True)
        place = menu(at.browser, title)
        at.browser.follow(at.browser.link(chosen, place).click)
        assert chosen in query(at.browser).values(), at.browser.path
        wanted = at.world.matching(lets_through)
        assert wanted and set(shown(at.browser)) == wanted, f"{title} {chosen}: {len(shown(at.browser))} instead of {len(wanted)}"
        assert chosen in at.browser.text(".filters .chip"), title
        remove_chip(at.browser)
        assert query(at.browser) == {"limit": "500"} and shown(at.browser) == everything


@test
def a_menu_counts_what_it_lets_through(at):
    at.browser.open(ALL)
    place = menu(at.browser, "Model")
    counts = dict(text.rsplit(" ", 1) for text in at.browser.texts(f"{place} .choices a"))
    assert counts == {model: str(len(at.world.matching(lambda trace: model in trace.models))) for model in counts} and len(counts) == 3, counts


@test
def fields_filter_by_figures_scores_and_times(at):
    for title, fields, lets_through in FIELDS:
        at.browser.open(ALL)
        place = menu(at.browser, title)
        for name, text in fields.items():
            at.browser.fill(f"{place} [name={name}]", text)
        at.browser.follow(at.browser.link("Apply", place).click)
        assert query(at.browser) == {"limit": "500", **fields}, at.browser.path
        assert len(at.browser.all(".filters .chip")) == len(fields)
        if lets_through is not None:
            wanted = at.world.matching(lets_through)
            assert wanted and set(shown(at.browser)) == wanted, title
    found = [trace.start for trace in at.world.traces if trace.id in shown(at.browser)]
    ages = [(at.world.now - start) / 60e9 for start in found]
    assert found and min(ages) > 28 and max(ages) < 121, (min(ages), max(ages))


@test
def cost_filters_by_what_the_list_says(at):
    costs = {trace["trace_id"]: trace["cost_usd"] for trace in at.server.json("/api/traces?limit=500")["traces"]}
    at.browser.open(ALL + "&min_cost=0.005&max_cost=0.0099")
    wanted = {trace for trace, cost in costs.items() if cost is not None and 0.005 <= cost <= 0.0099}
    assert wanted and set(shown(at.browser)) == wanted


@test
def presets_of_time(at):
    for preset, minutes in (("15m", 15), ("1h", 60), ("24h", 24 * 60)):
        at.browser.open(ALL)
        at.browser.follow(at.browser.link(preset, "[aria-label=Time]").click)
        assert query(at.browser)["since"] == preset
        assert at.browser.texts("[aria-label=Time] [aria-current]") == [preset]
        young = at.world.matching(lambda trace: at.world.now - trace.start < (minutes - 3) * 60e9)
        assert young <= set(shown(at.browser)) < at.world.matching(lambda trace: at.world.now - trace.start < minutes * 60e9) | {""}
    at.browser.follow(at.browser.link("All", "[aria-label=Time]").click)
    assert "since" not in query(at.browser)


@test
def filters_add_up_and_are_cleared_together(at):
    at.browser.open(ALL + "&service=support-bot&tag=v1")
    place = menu(at.browser, "Status")
    at.browser.follow(at.browser.link("error", place).click)
    assert query(at.browser) == {"limit": "500", "service": "support-bot", "tag": "v1", "status": "error"}
    wanted = at.world.matching(lambda trace: trace.service == "support-bot" and "v1" in trace.tags and trace.status == "error")
    assert wanted and set(shown(at.browser)) == wanted
    at.browser.follow(at.browser.link("Clear all").click)
    assert query(at.browser) == {"limit": "500"}


@test
def the_back_button_brings_the_filter_back(at):
    at.browser.open(ALL + "&service=planner")
    planned = shown(at.browser)
    remove_chip(at.browser)
    assert shown(at.browser) != planned
    at.browser.follow(at.browser.driver.back)
    assert query(at.browser)["service"] == "planner" and shown(at.browser) == planned
    at.browser.follow(at.browser.driver.forward)
    assert "service" not in query(at.browser)


@test
def nothing_found_says_which_filter_to_take_out(at):
    at.browser.open("/traces?model=no-such-model&tag=v1")
    assert "No trace has all of this" in at.browser.text("main")
    at.browser.follow(at.browser.link("without model no-such-model").click)
    assert query(at.browser) == {"tag": "v1"} and shown(at.browser)


@test
def search_finds_words_of_messages(at):
    at.browser.open("/traces")
    at.browser.press("/")
    assert at.browser.js("return document.activeElement.id") == "search"
    at.browser.press(SEARCHED)
    at.browser.follow(lambda: at.browser.press("Enter"))
    assert query(at.browser) == {"q": SEARCHED}
    found = shown(at.browser)
    assert found == [next(trace.id for trace in at.world.traces if SEARCHED in str(trace.request()))]
    assert at.browser.one("#search").get_attribute("value") == SEARCHED
    assert SEARCHED in at.browser.driver.title


@test
def search_takes_any_text(at):
    for odd in ("\"", "AND", "a* OR (", "NEAR(", "';--", "%", QUESTIONS[1], "<script>", "😀", "-"):
        at.browser.open(f"/traces?q={quote(odd)}")
        assert at.browser.one("#search").get_attribute("value") == odd
        assert at.browser.has("[data-part=rows], .empty"), odd


@test
def sorts_by_the_head_of_a_column(at):
    for title, key in SORTS:
        at.browser.open(ALL + "&service=support-bot")
        at.browser.follow(at.browser.link(title, ".traces thead").click)
        assert at.browser.attributes(".traces th[aria-sort]", "aria-sort") == ["descending"]
        wanted = {trace.id: key(trace) for trace in at.world.traces if trace.service == "support-bot"}
        assert [wanted[trace] for trace in shown(at.browser)] == sorted(wanted.values(), reverse=True), title
    at.browser.open(ALL)
    at.browser.follow(at.browser.link("Cost", ".traces thead").click)
    assert query(at.browser)["sort"] == "costliest"
    costs = {trace["trace_id"]: trace["cost_usd"] or 0 for trace in at.server.json("/api/traces?limit=500")["traces"]}
    found = [costs[trace] for trace in shown(at.browser)]
    assert found == sorted(found, reverse=True) and len(set(found)) > 5


@test
def time_sorts_both_ways(at):
    at.browser.open(ALL)
    wanted = [trace.id for trace in at.world.traces]
    assert shown(at.browser) == wanted[::-1]
    at.browser.follow(at.browser.link("Started", ".traces thead").click)
    assert at.browser.attributes(".traces th[aria-sort]", "aria-sort") == ["ascending"] and shown(at.browser) == wanted
    at.browser.follow(at.browser.link("Started", ".traces thead").click)
    assert shown(at.browser) == wanted[::-1]


@test
def pages_hold_each_trace_once(at):
    at.browser.open("/traces?limit=20")
    pages = [shown(at.browser)]
    while at.browser.has("[data-next]"):
        at.browser.follow(at.browser.one("[data-next]").click)
        pages.append(shown(at.browser))
    assert [len(page) for page in pages[:-1]] == [20] * (len(pages) - 1)
    ids = [trace for page in pages for trace in page]
    assert len(ids) == len(set(ids)) and set(ids) == at.world.matching(lambda _: True)
    at.browser.follow(at.browser.link("First", ".pager").click)
    assert shown(at.browser) == pages[0]


@test
def figures_are_those_of_the_traces(at):
    at.browser.open(ALL)
    for trace in at.world.traces:
        row = f"#t-{trace.id}"
        if trace.service == "support-bot" and trace.status == "ok":
            calls = [span.attributes for span in trace.spans if "gen_ai.usage.input_tokens" in span.attributes]
            wanted = [sum(call[f"gen_ai.usage.{side}_tokens"] for call in calls) for side in ("input", "output")]
            found = re.findall(r"[\d,]+", at.browser.text(f"{row} .tok"))
            assert [int(part.replace(",", "")) for part in found[:2]] == wanted, (found, wanted)
            assert at.browser.text(f"{row} .cost").startswith(f"${trace.cost:.4f}"[:6]), at.browser.text(f"{row} .cost")
        assert at.browser.js("return document.querySelector(arguments[0] + ' .state [aria-label]').getAttribute('aria-label')", row) == trace.status
        assert at.browser.text(f"{row} .spans").split()[0] == str(len(trace.spans))


@test
def a_failed_call_without_tokens_is_not_unpriced(at):
    at.browser.open("/traces?limit=500&tag=nightly")
    assert "unpriced" not in at.browser.text(f"#t-{at.world.retried.id}")
    assert "5 errors" in at.browser.text(f"#t-{at.world.retried.id}")


@test
def the_histogram_counts_the_list_and_narrows_it(at):
    for address in ("/traces", "/traces?since=24h", "/traces?service=support-bot&status=error"):
        at.browser.open(address)
        total = at.browser.text(".histogram figcaption span:nth-of-type(2)") if at.browser.has(".histogram figcaption") else ""
        ids = shown(at.browser) if "error" in address else at.world.matching(lambda _: True)
        assert total.startswith(f"{len(ids)} traces"), (address, total)
    href = at.browser.attributes(".histogram a", "href")[-1]
    at.browser.open(href)
    found = shown(at.browser)
    assert 0 < len(found) <= len(ids) and set(found) <= set(ids)


@test
def keys_move_open_and_go(at):
    at.browser.open("/traces")
    ids = shown(at.browser)
    focused = "return document.activeElement.closest('tr')?.id"
    for keys, place in ((["j"], 0), (["j", "j"], 2), (["k"], 1), (["Down"], 2), (["Up"], 1)):
        at.browser.press(*keys)
        assert at.browser.js(focused) == f"t-{ids[place]}", keys
    at.browser.follow(lambda: at.browser.press("Enter"))
    assert at.browser.path.startswith(f"/traces/{ids[1]}")
    for key, page in (("s", "/sessions"), ("d", "/dashboard"), ("c", "/compare"), ("f", "/findings"), ("t", "/traces")):
        at.browser.follow(lambda: at.browser.press("g", key))
        assert at.browser.path == page, (key, at.browser.path)


@test
def keys_lead_to_errors(at):
    at.browser.open("/traces?service=support-bot")
    failed = [trace.id for trace in at.world.traces if trace.failed_spans]
    wanted = [trace for trace in shown(at.browser) if trace in failed]
    at.browser.press("]")
    assert at.browser.js("return document.activeElement.closest('tr').id") == f"t-{wanted[0]}"
    at.browser.press("]", "]", "[")
    assert at.browser.js("return document.activeElement.closest('tr').id") == f"t-{wanted[1]}"


@test
def help_opens_and_closes(at):
    at.browser.open("/traces")
    at.browser.press("?")
    assert at.browser.js("return document.getElementById('help').open")
    at.browser.press("Escape")
    at.browser.until("help closes", lambda: not at.browser.js("return document.getElementById('help').open"))
    at.browser.one("[data-help]").click()
    assert at.browser.js("return document.getElementById('help').open")
    at.browser.link("Close", "#help").click()
    assert not at.browser.js("return document.getElementById('help').open")


@test
def a_click_in_a_row_opens_it(at):
    at.browser.open("/traces")
    ids = shown(at.browser)
    at.browser.follow(at.browser.one(f"#t-{ids[3]} .figure.latency").click)
    assert at.browser.path == f"/traces/{ids[3]}"


@test
def menus_close_and_move_by_keys(at):
    at.browser.open("/traces")
    place = menu(at.browser, "Model")
    is_open = f"return document.querySelector('{place}').open"
    at.browser.press("Down")
    assert at.browser.js("return document.activeElement.matches('.choices a')")
    at.browser.press("Escape")
    assert not at.browser.js(is_open) and at.browser.js("return document.activeElement.matches('summary')")
    at.browser.one(f"{place} > summary").click()
    assert at.browser.js(is_open)
    at.browser.one(".brand").find_element("xpath", "..").click()
    assert not at.browser.js(is_open)
