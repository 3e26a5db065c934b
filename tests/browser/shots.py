"""Pictures of each page."""

from pathlib import Path

from harness import Site
from pages import usual

SIZES = {"1280": (1280, 900), "390": (390, 844)}
MAX_HEIGHT = 3_000


def take(site: Site, folder: Path) -> None:
    """Writes NAME-WIDTH-THEME.png for each page into the folder: all of the page, down to `MAX_HEIGHT`."""
    folder.mkdir(parents=True, exist_ok=True)
    browser = site.browser
    for theme in ("light", "dark"):
        browser.media(prefers_color_scheme=theme)
        for size, (width, height) in SIZES.items():
            for name, address in usual(site.world).items():
                browser.size(width, height)
                browser.open(address)
                whole = browser.js("return document.documentElement.scrollHeight")
                browser.size(width, max(height, min(whole, MAX_HEIGHT)))
                browser.driver.save_screenshot(str(folder / f"{name}-{size}-{theme}.png"))
