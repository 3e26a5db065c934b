"""Tests are functions with `@test` in the files beside this one; each gets the `Site` and fails by raising."""

import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from browser import Browser
from server import Server
from traces import World


@dataclass
class Site:
    """What a test works with: a browser, the server it shows, and the traces that are in there."""
    browser: Browser
    server: Server
    world: World


@dataclass
class Suite:
    """The tests of one file, in the order in which they stand there."""
    tests: list = field(default_factory=list)

    def __call__(self, function):
        self.tests.append((function, ()))
        return function

    def expecting(self, *words: str):
        """A test during which the console may complain in these words."""
        def registered(function):
            self.tests.append((function, words))
            return function
        return registered

    def run(self, name: str, site: Site, only: str, shots: Path | None) -> list[str]:
        """Runs the tests whose names hold `only`. Answers with the names of those that failed."""
        failed = []
        for function, words in self.tests:
            title = f"{name}: {function.__name__.replace('_', ' ')}"
            if only not in title:
                continue
            began = time.monotonic()
            try:
                reset(site.browser)
                function(site)
                complaints = [complaint for complaint in site.browser.complaints() if not any(word in complaint for word in words)]
                assert not complaints, "\n".join(complaints[:10])
                mark = "ok  "
            except Exception as error:
                mark = "FAIL"
                failed.append(title)
                explain(error, site, title, shots)
            print(f"{mark} {time.monotonic() - began:5.1f} s  {title}", flush=True)
        return failed


def reset(browser: Browser) -> None:
    """A window as every test finds it."""
    browser.size(1280)
    browser.media(prefers_color_scheme="light")
    if browser.driver.current_url.startswith("http"):
        browser.js("localStorage.clear()")
    browser.complaints()


def explain(error: Exception, site: Site, title: str, shots: Path | None) -> None:
    place = traceback.extract_tb(error.__traceback__)
    own = next((frame for frame in reversed(place) if frame.name in title.replace(" ", "_")), place[-1])
    words = getattr(error, "msg", None) or str(error)
    print(f"     {Path(own.filename).name}:{own.lineno}: {own.line}\n     {type(error).__name__}: {words[:1500]}")
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
        site.browser.driver.save_screenshot(str(shots / f"failed-{title.replace(' ', '-').replace(':', '')[:80]}.png"))
