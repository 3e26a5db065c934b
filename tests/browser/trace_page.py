"""The page of a trace: tree, pane, tabs, keys, deep links."""

from harness import Suite

test = Suite()


def support(at, test=lambda trace: True):
    """The newest trace of the agent that is like that."""
    return next(trace for trace in reversed(at.world.traces) if trace.service == "support-bot" and test(trace))


def path(trace, span: int = 0, **more) -> str:
    query = {**({"span": f"{span:016x}"} if span else {}), **more}
    return f"/traces/{trace.id}" + ("?" + "&".join(f"{name}={held}" for name, held in query.items()) if query else "")


def row(number: int) -> str:
    return f"#s-{number:016x}"


def rows(browser) -> list[int]:
    """The numbers of the spans that are shown, in order."""
    found = browser.js("return [...document.querySelectorAll('.waterfall tbody tr')].filter(r => r.getClientRects().length).map(r => r.dataset.span)")
    return [int(span, 16) for span in found]


def chosen(browser) -> int:
    found = browser.attributes(".waterfall tr[aria-selected=true]", "data-span")
    assert len(found) == 1, found
    return int(found[0], 16)


def is_in_pane(browser, number: int):
    """A condition: the pane shows this span."""
    return lambda: browser.text(".pane-head .id") == f"{number:016x}"


def select(browser, number: int) -> None:
    browser.one(f"{row(number)} a.title").click()
    browser.until(f"span {number} in the pane", is_in_pane(browser, number))


def tab(browser, name: str) -> None:
    browser.link(name, ".tabs").click()
    browser.until(f"the tab {name}", lambda: browser.text(".tabs [aria-current]").startswith(name))


@test
def the_tree_has_each_span_in_order_and_the_head_sums_them(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace))
    assert rows(at.browser) == [1, 2, 3, 4, 5]
    assert at.browser.attributes(".waterfall tbody tr", "aria-level") == ["1", "2", "2", "2", "2"]
    tiles = dict(zip(at.browser.texts(".trace-head dt"), at.browser.texts(".trace-head dd")))
    assert (tiles["Spans"], tiles["Calls"], tiles["Errors"]) == ("5", "2", "0"), tiles
    assert tiles["Cost"].startswith(f"${trace.cost:.4f}"[:6]), tiles
    calls = [span.attributes for span in trace.spans if "gen_ai.usage.input_tokens" in span.attributes]
    assert tiles["Input"].split()[0].replace(",", "") == str(sum(call["gen_ai.usage.input_tokens"] for call in calls)), tiles
    assert chosen(at.browser) == 1


@test
def a_click_shows_a_span_and_the_address_holds_it(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace))
    select(at.browser, 4)
    assert chosen(at.browser) == 4 and f"span={4:016x}" in at.browser.path
    assert "look_up" in at.browser.text(".pane h2") and '1' in at.browser.text("#tool-arguments")
    at.browser.one(f"{row(5)} td.time").click()
    at.browser.until("the next span", is_in_pane(at.browser, 5))
    at.browser.driver.back()
    at.browser.until("the span before", is_in_pane(at.browser, 4))
    assert chosen(at.browser) == 4


@test
def a_deep_link_shows_its_span_and_tab(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace, 3, tab="attributes"))
    assert chosen(at.browser) == 3 and is_in_pane(at.browser, 3)()
    assert at.browser.text(".tabs [aria-current]").startswith("Attributes")
    assert "gen_ai.request.temperature" in at.browser.text(".pane")


@test
def tabs_show_all_of_a_span(at):
    trace = support(at, lambda trace: trace.status == "error")
    at.browser.open(path(trace, 4))
    for name, said in (("Messages", "look_up"), ("Attributes", "gen_ai.tool.name"), ("Events", "ConnectionError"), ("Scores", "Add a score"),
                       ("Raw", '"trace_id"')):
        tab(at.browser, name)
        assert said in at.browser.text(".pane .tab") + at.browser.text(".pane h2"), name
    at.browser.press("1")
    at.browser.until("the first tab", lambda: at.browser.text(".tabs [aria-current]").startswith("Messages"))
    assert "tab=messages" in at.browser.path


@test
def the_tab_stays_from_span_to_span(at):
    at.browser.open(path(support(at), 1))
    tab(at.browser, "Raw")
    select(at.browser, 3)
    assert at.browser.text(".tabs [aria-current]").startswith("Raw")


@test
def a_conversation_reads_as_chat(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace, 5))
    roles = at.browser.texts(".chat .role")
    assert [role.lower() for role in roles][-1] == "assistant" and "system" in [role.lower() for role in roles], roles
    calls = at.browser.js("return [...document.querySelectorAll('.chat .call')].map(c => [c.innerText, !!c.querySelector('.result')])")
    assert any("look_up" in text and "shipped" in text and paired for text, paired in calls), calls
    assert at.browser.has(".chat details.reasoning") and at.browser.has(".chat pre.code")
    assert at.browser.js("return document.querySelector('.chat pre.code .language').textContent") == "json"


@test
def media_are_placeholders(at):
    at.browser.open(path(at.world.media))
    said = " | ".join(at.browser.texts(".media"))
    for words in ("image/png", "https://pictures.invalid/bike.jpg", "file-8"):
        assert words in said, said
    assert not at.browser.all("main img, main iframe, main video")
    assert at.browser.attributes(".media a", "rel") == ["noopener noreferrer nofollow"]


@test
def usage_tells_its_shares(at):
    trace = support(at, lambda trace: trace.status == "ok" and any("cache_read" in key for key in trace.spans[2].attributes))
    at.browser.open(path(trace, 3))
    said = at.browser.text(".usage")
    for words in ("512 cached", "24 reasoning", f"${trace.spans[2].attributes['gen_ai.usage.cost']:.4f}"[:6]):
        assert words in said, said


@test
def branches_fold_by_click_and_key(at):
    at.browser.open(path(at.world.looping))
    every = rows(at.browser)
    at.browser.one(f"{row(1)} [data-fold]").click()
    assert rows(at.browser) == [1] and at.browser.attributes(row(1), "aria-expanded") == ["false"]
    assert at.browser.text(f"{row(1)} .folded") == str(len(every) - 1)
    at.browser.one(f"{row(1)} [data-fold]").click()
    assert rows(at.browser) == every
    at.browser.press("j", "k", "h")
    assert rows(at.browser) == [1]
    at.browser.press("l")
    assert rows(at.browser) == every
    at.browser.press("Right")
    at.browser.until("the first below", lambda: chosen(at.browser) == 2)
    at.browser.press("Left")
    at.browser.until("the one above", lambda: chosen(at.browser) == 1)


@test
def keys_walk_through_the_spans(at):
    at.browser.open(path(support(at, lambda trace: trace.status == "ok")))
    at.browser.press("j", "j", "j")
    at.browser.until("the fourth span", is_in_pane(at.browser, 4))
    at.browser.press("k")
    at.browser.until("the third span", is_in_pane(at.browser, 3))
    assert chosen(at.browser) == 3 and f"span={3:016x}" in at.browser.path


@test
def keys_walk_through_the_errors(at):
    trace = at.world.retried
    at.browser.open(path(trace))
    for key, number in (("]", 2), ("]", 3), ("]", 4), ("[", 3)):
        at.browser.press(key)
        at.browser.until(f"span {number}", is_in_pane(at.browser, number))
    assert "429 Too Many Requests" in at.browser.text(".pane .notice.bad")
    assert "429 Too Many Requests" in at.browser.text(f"{row(2)} .failure")


@test
def copy_buttons_copy(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace, 5))
    at.browser.js("window.copied = []; navigator.clipboard.writeText = async text => { window.copied.push(text) }")
    at.browser.one(".trace-head button.copy").click()
    at.browser.press("c")
    at.browser.one(".r-assistant[open] > summary button.copy").click()
    copied = at.browser.until("three texts", lambda: len(found := at.browser.js("return window.copied")) == 3 and found)
    assert copied[:2] == [trace.id, f"{5:016x}"] and "look_up" in copied[2], copied
    assert at.browser.js("return document.getElementById('announce').textContent") == "Copied"
    assert at.browser.all(".r-assistant")[0].get_attribute("open") is not None


@test
def chips_lead_to_lists_and_sessions(at):
    trace = support(at)
    for name, leads in (("service", "/traces?service=support-bot"), ("session", f"/sessions/{trace.session}"), ("tag", "/traces?tag=")):
        at.browser.open(path(trace))
        chip = at.browser.js("return [...document.querySelectorAll('.trace-head a.chip')].find(c => c.title.startsWith(arguments[0] + ': '))", name)
        at.browser.follow(chip.click)
        assert at.browser.path.startswith(leads), at.browser.path


@test
def the_whole_span_is_downloaded_as_a_line(at):
    trace = support(at)
    at.browser.open(path(trace, 3, tab="raw"))
    [href] = at.browser.attributes(".pane a[download]", "href")
    status, body = at.server.request(href)
    assert status == 200 and f'"span_id":"{3:016x}"'.encode() in body and body.count(b"\n") == 1


@test
def waterfall_bars_stand_where_the_times_are(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace))
    bars = at.browser.js("return [...document.querySelectorAll('.waterfall tbody td.time')].map(cell => {"
                         "const whole = cell.getBoundingClientRect(), bars = [...cell.querySelectorAll('rect')].map(rect => rect.getBoundingClientRect());"
                         "const left = Math.min(...bars.map(bar => bar.left)), right = Math.max(...bars.map(bar => bar.right));"
                         "return [(left - whole.left) / whole.width, (right - left) / whole.width]})")
    length = trace.spans[0].end - trace.start
    scale = bars[0][1]
    for (left, width), span in zip(bars, trace.spans):
        assert abs(width - scale * (span.end - span.start) / length) < 0.02, (span.name, bars)
        assert abs(left - bars[0][0] - scale * (span.start - trace.start) / length) < 0.02, (span.name, bars)


@test
def the_ticks_of_the_axis_are_not_cut(at):
    for trace in (support(at, lambda trace: trace.status == "ok"), at.world.looping, at.world.media):
        at.browser.open(path(trace))
        cut = at.browser.js("return [...document.querySelectorAll('.waterfall thead .time text')].filter(text => {"
                            "const own = text.getBoundingClientRect(), svg = text.closest('svg').getBoundingClientRect();"
                            "return own.left < svg.left - 1 || own.right > svg.right + 1 }).map(text => text.textContent)")
        assert not cut, cut
