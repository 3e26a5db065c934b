"""Scores: added in the page, seen everywhere, and in the dataset."""

import json

from harness import Suite
from trace_page import path, support, tab

test = Suite()


def add(browser, name: str, value: str, comment: str) -> None:
    """Fills the form and sends it."""
    form = "form[aria-label=Score]"
    browser.fill(f"{form} [name=name]", name)
    browser.fill(f"{form} [name=value]", value)
    browser.fill(f"{form} [name=comment]", comment)
    browser.follow(browser.one(f"{form} button[type=submit]").click)


@test
def a_score_is_added_and_stays(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace, 5))
    tab(at.browser, "Scores")
    add(at.browser, "politeness", "0.75", "Kind & brief <b>")
    assert f"span={5:016x}" in at.browser.path and "tab=scores" in at.browser.path
    for _ in range(2):
        said = " ".join(at.browser.texts(".scores li"))
        assert all(words in said for words in ("politeness", "0.75", "Kind & brief <b>", "added here")), said
        at.browser.driver.refresh()
    told = at.server.json(f"/api/traces/{trace.id}")
    [span] = [span for span in told["spans"] if span["span_id"] == f"{5:016x}"]
    assert [score["value"] for score in span["scores"] if score["name"] == "politeness"] == [0.75], span["scores"]


@test
def one_click_says_good_or_bad(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace, 3, tab="scores"))
    at.browser.follow(at.browser.link("Good", ".score-form").click)
    assert any("feedback" in text and "1" in text for text in at.browser.texts(".scores li"))


@test
def the_form_refuses_what_is_no_number(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open(path(trace, 3, tab="scores"))
    at.browser.fill("form[aria-label=Score] [name=name]", "x")
    at.browser.one("form[aria-label=Score] button[type=submit]").click()
    assert at.browser.js("return document.querySelector('form[aria-label=Score] [name=value]').matches(':invalid')")
    assert "tab=scores" in at.browser.path


@test
def the_list_filters_by_the_new_score(at):
    trace = support(at, lambda trace: trace.status == "ok")
    at.browser.open("/traces?score=politeness%3E%3D0.7")
    assert at.browser.attributes(".traces tbody tr", "id") == [f"t-{trace.id}"]


@test
def the_page_of_scores_sums_them(at):
    at.browser.open("/scores")
    assert {"helpful", "politeness", "feedback"} <= set(at.browser.texts("table.judged tbody th"))
    at.browser.follow(at.browser.link("helpful", "table.judged").click)
    assert "helpful" in at.browser.text("h1") and at.browser.has(".chart")
    at.browser.follow(at.browser.one("table.judged tbody a").click)
    assert "tab=scores" in at.browser.path and "helpful" in " ".join(at.browser.texts(".scores li"))


@test
def the_dataset_holds_the_score(at):
    status, body = at.server.request("/api/dataset?score=politeness")
    lines = [json.loads(line) for line in body.splitlines()]
    assert status == 200 and len(lines) == 1, lines
    assert lines[0]["scores"][0]["value"] == 0.75 and lines[0]["input"] and lines[0]["output"], lines


@test
def spans_are_chosen_for_a_dataset(at):
    at.browser.open("/dataset?service=support-bot")
    boxes = at.browser.all("input[name=span]")[:3]
    chosen = [box.get_attribute("value") for box in boxes]
    for box in boxes:
        box.click()
    address = at.browser.js("return '/api/dataset?' + new URLSearchParams(new FormData(document.querySelector('form.stack')))")
    status, body = at.server.request(address)
    lines = [json.loads(line) for line in body.splitlines()]
    assert status == 200 and [f"{line['trace_id']}.{line['span_id']}" for line in lines] == chosen, lines
    assert at.browser.one("form.stack").get_attribute("method") == "get"
