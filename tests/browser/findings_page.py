"""What stands out."""

from harness import Suite
from traces import SECRET

test = Suite()


def titles(browser) -> dict:
    """The links of the findings by rule."""
    return browser.js("return Object.fromEntries([...document.querySelectorAll('section.rule')].map(rule =>"
                      "[rule.querySelector('h2').id.replace('rule-', ''), [...rule.querySelectorAll('a.finding-title')].map(a => a.getAttribute('href'))]))")


def ready(at, address: str = "/findings?range=all") -> dict:
    """The findings once the server has looked at all."""
    def look():
        at.browser.open(address)
        found = titles(at.browser)
        return found if "secret" in found else None
    return at.browser.until("findings", look, 30)


@test
def each_oddity_is_found_and_its_link_leads_to_it(at):
    found = ready(at)
    wanted = {"retry-storm": at.world.retried, "tool-loop": at.world.looping, "secret": at.world.leaking,
              "latency-outlier": None, "token-outlier": None, "truncated": None, "empty-output": None}
    assert set(wanted) <= set(found), set(found)
    for rule in ("retry-storm", "tool-loop", "secret"):
        assert any(href.startswith(f"/traces/{wanted[rule].id}") for href in found[rule]), (rule, found[rule])
        at.browser.open(next(href for href in found[rule] if wanted[rule].id in href))
        assert at.browser.has(".waterfall tr[aria-selected=true]") and at.browser.has(".pane h2")


@test
def the_key_is_not_told(at):
    ready(at)
    assert SECRET not in at.browser.js("return document.documentElement.outerHTML")


@test
def filters_narrow_the_findings(at):
    every = ready(at)
    at.browser.one("main details.menu summary").click()
    at.browser.follow(at.browser.js("return [...document.querySelectorAll('details.menu[open] a')].find(a => a.href.includes('rule=secret'))").click)
    assert list(titles(at.browser)) == ["secret"] and "rule=secret" in at.browser.path
    at.browser.follow(at.browser.one(".chip.filter a").click)
    assert titles(at.browser) == every
    at.browser.follow(at.browser.js("return [...document.querySelectorAll('[aria-label=Severity] a')].find(a => a.href.includes('severity=critical'))").click)
    assert set(at.browser.texts(".finding .badge:first-child")) == {"critical"}


@test
def evidence_stands_with_each_finding(at):
    ready(at)
    for sentence, figure in zip(at.browser.texts(".finding > p"), at.browser.texts(".finding .evidence b")):
        assert len(sentence) > 10 and figure, sentence


@test
def keys_move_through_findings(at):
    ready(at)
    at.browser.press("j", "j")
    assert at.browser.js("return document.activeElement.matches('a.finding-title')")
    wanted = at.browser.js("return document.activeElement.getAttribute('href')")
    at.browser.follow(lambda: at.browser.press("Enter"))
    assert at.browser.path == wanted
