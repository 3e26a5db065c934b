"""The sessions: their list, and one as a conversation."""

from harness import Suite

test = Suite()


def of(at, session: str) -> list:
    return [trace for trace in at.world.traces if trace.session == session]


@test
def the_list_sums_each_session(at):
    at.browser.open("/sessions")
    found = dict(zip(at.browser.texts("table.sessions .session-name"), at.browser.js(
        "return [...document.querySelectorAll('table.sessions tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))")))
    assert set(found) == {trace.session for trace in at.world.traces if trace.session}
    for session, cells in found.items():
        traces = of(at, session)
        assert cells[2:4] == [traces[0].user, str(len(traces))], cells
        assert cells[8] == str(sum(trace.failed_spans for trace in traces)), cells


@test
def a_session_reads_as_a_conversation(at):
    at.browser.open("/sessions")
    at.browser.follow(at.browser.link("session-02", "table.sessions").click)
    traces = of(at, "session-02")
    asked = at.browser.texts(".turn .said .bubble-text")
    assert asked == [trace.spans[0].attributes["gen_ai.input.messages"][0]["parts"][0]["content"] for trace in traces], asked
    answered = at.browser.texts(".turn .answered")
    assert all("on its way" in text for text, trace in zip(answered, traces) if trace.status == "ok"), answered
    tiles = dict(zip(at.browser.texts(".tiles dt"), at.browser.texts(".tiles dd")))
    assert tiles["Traces"] == str(len(traces)) and tiles["User"] == traces[0].user, tiles
    assert tiles["Cost"].startswith(f"${sum(trace.cost for trace in traces):.4f}"[:5]), tiles


@test
def a_turn_leads_to_its_trace_and_to_the_difference(at):
    at.browser.open("/sessions/session-02")
    traces = of(at, "session-02")
    at.browser.follow(at.browser.all(".turn-name")[1].click)
    assert at.browser.path == f"/traces/{traces[1].id}"
    at.browser.open("/sessions/session-02")
    at.browser.follow(at.browser.link("compare", ".turn:nth-child(2)").click)
    assert at.browser.path == f"/compare?a={traces[0].id}&b={traces[1].id}"


@test
def the_chart_grows_with_the_conversation(at):
    at.browser.open("/sessions/session-02")
    assert len(at.browser.all(".chart")) == 1 and "Tokens per turn" in at.browser.text(".chart figcaption")
    legend = at.browser.texts(".chart .legend li")
    assert any("cache" in name for name in legend), legend
    at.browser.one(".chart .plot-table summary").click()
    rows = at.browser.texts(".chart .plot-table tbody tr")
    assert len(rows) == len(of(at, "session-02")), rows


@test
def input_is_not_other_where_there_is_no_other(at):
    """A session without a cache has one kind of input."""
    at.browser.open("/sessions/session-uncached")
    assert "other input" not in at.browser.text(".chart .legend"), at.browser.text(".chart .legend")


@test
def keys_move_through_sessions_and_turns(at):
    at.browser.open("/sessions")
    names = at.browser.texts(".session-name")
    at.browser.press("j", "j")
    assert at.browser.js("return document.activeElement.innerText.trim()") == names[1]
    at.browser.follow(lambda: at.browser.press("Enter"))
    assert names[1] in at.browser.text("h1")
    at.browser.press("j", "j")
    assert at.browser.js("return document.activeElement.closest('.turn').id") == "turn-2"


@test.expecting("404")
def a_session_that_is_not_there_says_so(at):
    at.browser.open("/sessions/no-such-session")
    assert "no session" in at.browser.text("main")
