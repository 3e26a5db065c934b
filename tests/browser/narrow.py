"""A screen of 390 pixels."""

from harness import Suite
from list_page import menu, query, shown
from pages import usual

test = Suite()

WIDTH = 390

WIDE = """
const wide = document.documentElement.scrollWidth - innerWidth;
if (wide <= 0) return [];
const inside = (e) => { for (let at = e.parentElement; at && at !== document.body; at = at.parentElement) if (getComputedStyle(at).overflowX !== 'visible') return true; return false; };
const guilty = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !inside(e));
return [`${wide} px too wide: ` + guilty.slice(0, 3).map(e => e.tagName.toLowerCase() + '.' + (e.getAttribute('class') ?? '')).join(', ')];
"""


@test
def no_page_is_wider_than_the_screen(at):
    at.browser.size(WIDTH, 844)
    wrong = []
    for name, address in usual(at.world).items():
        at.browser.open(address)
        wrong += [f"{name}: {words}" for words in at.browser.js(WIDE)]
    assert not wrong, "\n".join(wrong)


@test
def every_page_is_reached(at):
    at.browser.size(WIDTH, 844)
    for title in ("Sessions", "Dashboard", "Compare", "Findings", "Traces"):
        at.browser.open("/traces")
        at.browser.follow(at.browser.link(title, ".top nav").click)
        assert at.browser.path == f"/{title.lower()}"


@test
def each_menu_opens_inside_the_screen(at):
    at.browser.size(WIDTH, 844)
    for title in ("Status", "Model", "Service", "Session", "Figures", "Time"):
        at.browser.open("/traces")
        place = menu(at.browser, title)
        box = at.browser.js(f"const box = document.querySelector('{place} .panel').getBoundingClientRect(); return [box.left, box.right, box.height]")
        assert box[0] >= 0 and box[1] <= WIDTH and box[2] > 20, (title, box)
        assert not at.browser.js(WIDE), title


@test
def a_filter_is_chosen(at):
    at.browser.size(WIDTH, 844)
    at.browser.open("/traces")
    place = menu(at.browser, "Service")
    at.browser.follow(at.browser.link("planner", place).click)
    assert query(at.browser)["service"] == "planner"
    at.browser.follow(at.browser.one(".filters .chip a").click)
    assert not query(at.browser)


@test
def the_list_is_sorted_by_a_menu(at):
    at.browser.size(WIDTH, 844)
    at.browser.open("/traces?limit=500")
    place = menu(at.browser, "Newest first")
    at.browser.follow(at.browser.link("Oldest first", place).click)
    assert shown(at.browser) == [trace.id for trace in sorted(at.world.traces, key=lambda trace: trace.start)]


@test
def a_span_is_chosen_and_read(at):
    at.browser.size(WIDTH, 844)
    at.browser.open(usual(at.world)["trace"])
    at.browser.one("#s-0000000000000003 a.title").click()
    at.browser.until("its pane", lambda: at.browser.text(".pane-head .id") == "0000000000000003")
    assert "look_up" in at.browser.text(".pane .tab")
    assert not at.browser.js(WIDE)


@test
def what_is_touched_is_large_enough(at):
    """Links and buttons that stand alone are 24 pixels or more each way (WCAG 2.2, 2.5.8), or have room around."""
    at.browser.size(WIDTH, 844)
    at.browser.open("/traces")
    small = at.browser.js("return [...document.querySelectorAll('.top a, .top button:not([hidden]), .menubar summary, .segments a, .pager a')].filter(e => e.getClientRects().length)"
                          ".filter(e => { const box = e.getBoundingClientRect(); return box.width < 24 || box.height < 24 }).map(e => e.innerText || e.className)")
    assert not small, small
