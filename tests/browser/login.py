"""A server that other computers can reach asks for its token."""

import os

from harness import Suite
from looks import CONTRAST, nameless

test = Suite()

TOKEN = "browser-tests-" + "0123456789abcdef" * 2


def environment() -> dict:
    return {**os.environ, "LLMTRACE_TOKEN": TOKEN}


@test.expecting("401")
def a_wrong_token_is_refused(at):
    at.browser.open("/traces?service=support-bot")
    assert at.browser.path.startswith("/login?next=") and not at.browser.has(".traces")
    assert not at.browser.js(CONTRAST) and not nameless(at.browser)
    at.browser.fill("#token", "wrong-" * 6)
    at.browser.follow(at.browser.link("Go on").click)
    assert "not the token" in at.browser.text("[role=alert]") and not at.browser.has(".traces")
    assert at.browser.js("return fetch('/api/traces').then(answer => answer.status)") == 401


@test
def the_token_opens_the_page_that_was_asked_for(at):
    at.browser.open("/traces?sort=oldest")
    at.browser.fill("#token", TOKEN)
    at.browser.follow(at.browser.link("Go on").click)
    assert at.browser.path == "/traces?sort=oldest" and at.browser.has(".traces tbody tr")
    [cookie] = at.browser.driver.get_cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and TOKEN not in cookie["value"], cookie
    for page in ("/dashboard", "/findings", "/traces"):
        at.browser.open(page)
        assert at.browser.path == page


@test
def scores_are_added_with_the_cookie(at):
    at.browser.open("/traces")
    at.browser.follow(at.browser.one(".traces a.title").click)
    at.browser.follow(lambda: at.browser.open(at.browser.path.split("?")[0] + "?tab=scores"))
    at.browser.follow(at.browser.link("Good", ".score-form").click)
    assert any("feedback" in text for text in at.browser.texts(".scores li"))
