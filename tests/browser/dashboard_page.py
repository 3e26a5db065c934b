"""The dashboard: figures that agree with the lists to which they lead."""

from collections import Counter
from urllib.parse import parse_qs, urlsplit

from harness import Suite
from selenium.webdriver import ActionChains

test = Suite()

CALLS = ("generation", "embedding")
BY = {"model": lambda trace, call: call["gen_ai.response.model"], "provider": lambda trace, call: call["gen_ai.provider.name"],
      "service": lambda trace, call: trace.service, "user": lambda trace, call: trace.user}


def calls(at) -> list:
    """Each call of a model with its trace."""
    return [(trace, span) for trace in at.world.traces for span in trace.spans if span.attributes["llmtrace.kind"] in CALLS]


def tiles(browser) -> dict:
    return dict(zip(browser.texts("dl.figures dt"), browser.texts("dl.figures dd")))


def number(text: str) -> int:
    return int(text.split()[0].replace(",", ""))


def table(browser) -> dict:
    """The rows of the table of groups: calls, errors, input, output."""
    rows = browser.js("return [...document.querySelectorAll('table.groups tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))")
    return {row[0]: [number(cell) if cell[:1].isdigit() else 0 for cell in row[1:5]] for row in rows}


@test
def the_sums_are_those_of_the_calls(at):
    at.browser.open("/dashboard?range=all")
    found, every = tiles(at.browser), calls(at)
    assert number(found["Calls"]) == len(every), found
    assert number(found["Errors"]) == sum(span.error is not None for _, span in every), found


@test
def each_grouping_sums_to_the_whole(at):
    for by, key in BY.items():
        at.browser.open("/dashboard?range=all")
        at.browser.follow(at.browser.link(by, "[aria-label=By]").click)
        assert at.browser.texts("[aria-label=By] [aria-current]") == [by]
        wanted = Counter(filter(None, (key(trace, span.attributes) for trace, span in calls(at))))
        found = table(at.browser)
        assert {name: row[0] for name, row in found.items()} == wanted, (by, found)
        whole = [number(cell) if cell[:1].isdigit() else 0 for cell in at.browser.js(
            "return [...document.querySelector('table.groups tfoot tr').cells].slice(1, 5).map(c => c.innerText.trim())")]
        assert [sum(column) for column in zip(*found.values())] == whole, (by, found, whole)


@test
def tokens_and_cost_by_model_are_those_of_the_calls(at):
    at.browser.open("/dashboard?range=all&by=model")
    for model, row in table(at.browser).items():
        mine = [span.attributes for _, span in calls(at) if span.attributes["gen_ai.response.model"] == model]
        wanted = [sum(call.get(f"gen_ai.usage.{side}_tokens", 0) for call in mine) for side in ("input", "output")]
        assert row[2:] == wanted, (model, row, wanted)


@test
def figures_lead_to_lists_that_agree(at):
    """What the list that a figure leads to sums to is the figure."""
    at.browser.open("/dashboard?range=24h&by=service")
    found = table(at.browser)
    links = dict(zip(at.browser.texts("table.groups tbody th"), at.browser.attributes("table.groups tbody th a", "href")))
    assert set(links) == set(found) and len(links) >= 3, links
    for service, href in links.items():
        assert parse_qs(urlsplit(href).query)["service"] == [service], href
        listed = at.server.json("/api" + href + "&limit=500")["traces"]
        sums = [sum(trace[name] or 0 for trace in listed) for name in ("calls", "input_tokens", "output_tokens")]
        assert sums == [found[service][0], *found[service][2:]], (service, sums, found[service])
        at.browser.open(href + "&limit=500")
        assert len(at.browser.all(".traces tbody tr")) == len(listed)
    at.browser.open("/dashboard?range=24h")
    at.browser.follow(at.browser.one("dl.figures a").click)
    assert parse_qs(urlsplit(at.browser.path).query)["sort"] == ["costliest"]


@test
def presets_of_time(at):
    counts = []
    for preset in ("1h", "6h", "24h", "7d", "30d"):
        at.browser.open("/dashboard")
        at.browser.follow(at.browser.link(preset, ".dashboard-head").click)
        assert f"range={preset}" in at.browser.path
        counts.append(number(tiles(at.browser)["Calls"]))
        assert len(at.browser.all(".chart")) >= 4
    assert counts == sorted(counts) and counts[0] < counts[1] and counts[-1] == len(calls(at)), counts


@test
def charts_have_their_figures_as_tables(at):
    at.browser.open("/dashboard?range=24h")
    for title, rows in at.browser.js("return [...document.querySelectorAll('.chart')].map(c => [c.querySelector('.chart-title').textContent,"
                                     "c.querySelectorAll('.plot-table tbody tr').length])")[:3]:
        assert rows > 0, title
    charts = at.browser.texts(".chart .chart-title")
    assert any("Cost" in title for title in charts) and any("Latency" in title for title in charts), charts


@test
def a_place_of_a_chart_says_its_figures_and_leads_to_its_list(at):
    at.browser.open("/dashboard?range=24h")
    place = at.browser.js("return [...document.querySelectorAll('.chart .place')].find(p => /: [^0]/.test(p.textContent) && p.closest('a')?.getAttribute('href').startsWith('/traces'))")
    assert place is not None
    ActionChains(at.browser.driver).move_to_element(place).perform()
    at.browser.until("the tip", lambda: at.browser.texts(".tip"))
    href = at.browser.js("return arguments[0].closest('a').getAttribute('href')", place)
    assert "since=" in href and "until=" in href, href


@test
def nothing_in_this_time_leads_to_all_time(at):
    at.browser.open("/dashboard?since=2020-01-01&until=2020-01-02")
    assert "No call in this time" in at.browser.text("main")
    at.browser.follow(at.browser.link("Show all time").click)
    assert number(tiles(at.browser)["Calls"]) == len(calls(at))
