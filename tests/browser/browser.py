"""Headless Chromium, and what the tests ask of it."""

import json
import os
import shutil
import sys
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

DEADLINE_S = 10
POLL_S = 0.02

MISSING = """Chromium and its driver are needed, and {} is not here. On Debian and Ubuntu:

    apt-get install chromium chromium-driver

Elsewhere set CHROMIUM and CHROMEDRIVER to their paths."""

# Counts in window.heard what the server told the page by itself.
HEARD = """window.EventSource = class extends EventSource {
  constructor(...given) { super(...given); this.addEventListener("commit", () => { window.heard = (window.heard ?? 0) + 1; }); }
};"""

NAMED_KEYS = {"Enter": Keys.ENTER, "Escape": Keys.ESCAPE, "Tab": Keys.TAB, "Down": Keys.ARROW_DOWN, "Up": Keys.ARROW_UP,
              "Left": Keys.ARROW_LEFT, "Right": Keys.ARROW_RIGHT, "Space": Keys.SPACE}


def programs() -> tuple[str, str]:
    """The browser and its driver; ends the run where one is missing."""
    found = []
    for name, variable in (("chromium", "CHROMIUM"), ("chromedriver", "CHROMEDRIVER")):
        path = os.environ.get(variable) or shutil.which(name)
        if not path or not os.path.exists(path):
            sys.exit(MISSING.format(path or name))
        found.append(path)
    return found[0], found[1]


class Browser:
    """One window. `origin` is the only place that it may ask for anything."""

    def __init__(self, origin: str, *flags: str):
        browser, driver = programs()
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        # Whatever a page asks of the outside fails at once, and is seen in the log of requests.
        for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,900",
                     "--hide-scrollbars", "--lang=en-US", "--disable-background-networking", "--disable-component-update", "--disable-extensions",
                     "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", *flags):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.set_capability("unhandledPromptBehavior", "ignore")
        options.add_experimental_option("prefs", {"profile.content_settings.exceptions.clipboard": {"*": {"setting": 1}}})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        self.driver.set_page_load_timeout(60)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HEARD})
        self.origin = origin

    # Where it is

    def open(self, path: str) -> None:
        self.driver.get(self.origin + path)

    @property
    def path(self) -> str:
        return self.driver.current_url.removeprefix(self.origin)

    def follow(self, action) -> None:
        """Does what leads to another page, and waits until that page is there."""
        self.js("window.__left = 1")
        action()
        self.until("another page", lambda: self.js("return !window.__left && document.readyState === 'complete'"))

    def size(self, width: int, height: int = 900) -> None:
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def media(self, **features: str) -> None:
        """What the reader's system prefers, such as prefers_color_scheme="dark"."""
        wanted = [{"name": name.replace("_", "-"), "value": held} for name, held in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    # What it shows

    def js(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, css: str) -> list:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str):
        """The first such element; fails where there is none."""
        found = self.all(css)
        assert found, f"no {css} on {self.path}"
        return found[0]

    def has(self, css: str) -> bool:
        return bool(self.js("return document.querySelector(arguments[0]) !== null", css))

    def texts(self, css: str) -> list[str]:
        """The visible text of each such element."""
        return self.js("return [...document.querySelectorAll(arguments[0])].filter(e => e.getClientRects().length)"
                       ".map(e => e.innerText.trim().replace(/\\s+/g, ' '))", css)

    def text(self, css: str) -> str:
        found = self.texts(css)
        assert found, f"no visible {css} on {self.path}"
        return found[0]

    def attributes(self, css: str, name: str) -> list[str]:
        return self.js("return [...document.querySelectorAll(arguments[0])].map(e => e.getAttribute(arguments[1]))", css, name)

    def until(self, what: str, condition, seconds: float = DEADLINE_S):
        """Waits until the condition holds, and answers with what it said."""
        deadline, failed = time.monotonic() + seconds, None
        while True:
            try:
                if found := condition():
                    return found
                failed = None
            except Exception as error:  # the page may be about to change
                failed = error
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds} s on {self.path}") from failed
            time.sleep(POLL_S)

    # What a reader does

    def link(self, words: str, within: str = "body"):
        """The visible link, button or summary with these words."""
        found = self.js(
            "const [words, within] = arguments; const all = [...document.querySelectorAll(within + ' :is(a, button, summary)')];"
            "return all.filter(e => e.getClientRects().length).find(e => e.innerText.trim().replace(/\\s+/g, ' ') === words)"
            " ?? all.filter(e => e.getClientRects().length).find(e => e.innerText.includes(words))", words, within)
        assert found is not None, f"no link {words!r} in {within} on {self.path}"
        return found

    def press(self, *keys: str) -> None:
        """Presses one key after the other where the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(NAMED_KEYS.get(key, key))

    def fill(self, css: str, text: str) -> None:
        field = self.one(css)
        field.clear()
        field.send_keys(text)

    # What it says of itself

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, requests to elsewhere and dialogs since the last call."""
        found = [f"{entry['level']} {entry['message']}" for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            url = message.get("params", {}).get("request", {}).get("url", "")
            if message["method"] == "Network.requestWillBeSent" and not url.startswith((self.origin + "/", "data:")):
                found.append(f"asks for {url[:200]}")
            if message["method"] == "Page.javascriptDialogOpening":
                found.append(f"opens a dialog: {message['params'].get('message')}")
        if self.js("return typeof window.pwned !== 'undefined' || ({}).pwned !== undefined || ({}).a !== undefined"):
            found.append("a script of the data ran")
        return found

    def close(self) -> None:
        self.driver.quit()
