"""What every page must hold to: contrast, focus, labels, ids, headings, themes; nothing remote and no complaint."""

import urllib.request

from harness import Suite
from pages import usual

test = Suite()

# Contrast as WCAG 2 defines it, of each text with what is painted behind it.
CONTRAST = """
const canvas = new OffscreenCanvas(1, 1), context = canvas.getContext('2d', { willReadFrequently: true }), known = new Map();
const read = (color) => {
  if (!known.has(color)) {
    context.clearRect(0, 0, 1, 1); context.fillStyle = '#000'; context.fillStyle = color; context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    known.set(color, [r, g, b, a / 255]);
  }
  return known.get(color);
};
const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
const light = ([r, g, b]) => {
  const part = (n) => { n /= 255; return n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };
const backs = new Map();
const back = (element) => {
  if (!element) return read(getComputedStyle(document.documentElement).colorScheme.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches ? '#121212' : '#fff');
  if (!backs.has(element)) {
    const own = read(getComputedStyle(element).backgroundColor);
    backs.set(element, own[3] === 1 ? own : over(own, back(element.parentElement)));
  }
  return backs.get(element);
};
const seen = (element) => {
  const style = getComputedStyle(element);
  let opacity = 1;
  for (let at = element; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
  return { style, opacity };
};
const bad = new Set();
const judge = (element, color, words) => {
  const { style, opacity } = seen(element);
  if (opacity === 0) return;
  const behind = back(element), ink = read(color);
  const found = ratio(over([...ink.slice(0, 3), ink[3] * opacity], behind), behind);
  const size = parseFloat(style.fontSize), is_large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (found < (is_large ? 3 : 4.5) - 0.01) bad.add(`${found.toFixed(2)} ${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''} "${words.trim().slice(0, 30)}"`);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode, element = node.parentElement;
  if (!node.data.trim() || !element.checkVisibility({ visibilityProperty: true }) || element.closest('script, style, title, symbol, .visually-hidden, :disabled')) continue;
  const is_drawn = element instanceof SVGElement;
  judge(element, is_drawn ? getComputedStyle(element).fill : getComputedStyle(element).color, node.data);
}
for (const field of document.querySelectorAll('input, textarea')) {
  if (!field.checkVisibility()) continue;
  if (field.placeholder) judge(field, getComputedStyle(field, '::placeholder').color, field.placeholder);
}
return [...bad];
"""

# Duplicate ids, headings out of order, fields without a label, parts without a name.
ORDER = """
const bad = [], ids = new Map();
for (const element of document.querySelectorAll('[id]')) ids.set(element.id, (ids.get(element.id) ?? 0) + 1);
for (const [id, count] of ids) if (count > 1) bad.push(`${count} times the id ${id}`);
let level = 0;
const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(h => h.checkVisibility());
if (headings.filter(h => h.tagName === 'H1').length !== 1) bad.push(`${headings.filter(h => h.tagName === 'H1').length} h1`);
for (const heading of headings) {
  const own = Number(heading.tagName[1]);
  if (own > level + 1) bad.push(`h${own} "${heading.innerText.trim().slice(0, 30)}" after h${level}`);
  level = own;
}
for (const label of document.querySelectorAll('[aria-labelledby], [aria-describedby], [aria-controls], label[for], [list]')) {
  for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for', 'list']) {
    const id = label.getAttribute(name);
    if (id && !document.getElementById(id)) bad.push(`${name}="${id}" names nothing`);
  }
}
for (const image of document.querySelectorAll('use')) {
  if (!document.querySelector(image.getAttribute('href'))) bad.push(`no symbol ${image.getAttribute('href')}`);
}
for (const styled of document.querySelectorAll('[style]')) if (!styled.matches('.tip')) bad.push(`style on ${styled.tagName}`);
return bad;
"""

# What a program that reads the page aloud finds without a name.
NAMED_ROLES = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "spinbutton", "image", "dialog", "navigation", "DisclosureTriangle"}

# The outline of what has the focus, for each thing that can have it.
FOCUS = """
const bad = [];
const look = (element) => [element, element.closest('tr')].filter(Boolean).map(getComputedStyle)
  .map(style => [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor, style.backgroundColor, style.textDecorationLine].join()).join();
const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), textarea, select, summary, [tabindex="0"]')];
for (const element of all.filter(e => e.checkVisibility() && !e.disabled && !(e instanceof SVGElement)).slice(0, 300)) {
  const before = look(element);
  element.focus({ preventScroll: true, focusVisible: true });
  if (document.activeElement === element && look(element) === before) bad.push(`${element.tagName.toLowerCase()}.${element.className} ${element.innerText?.slice(0, 20)}`);
  element.blur();
}
return bad;
"""


def nameless(browser) -> list[str]:
    found = []
    for node in browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]:
        role, name = node.get("role", {}).get("value"), node.get("name", {}).get("value", "")
        if not node.get("ignored") and role in NAMED_ROLES and not name.strip():
            found.append(f"{role} without a name")
    return found


def each_page(at, look) -> None:
    """Looks at every page, and fails with all that is wrong."""
    wrong = []
    for name, address in usual(at.world).items():
        at.browser.open(address)
        wrong += [f"{name}: {words}" for words in look()]
    assert not wrong, f"{len(wrong)} things\n" + "\n".join(wrong[:60])


@test
def texts_stand_out_in_the_light_theme(at):
    each_page(at, lambda: at.browser.js(CONTRAST))


@test
def texts_stand_out_in_the_dark_theme(at):
    at.browser.media(prefers_color_scheme="dark")
    each_page(at, lambda: at.browser.js(CONTRAST))


@test
def texts_of_open_menus_and_help_stand_out(at):
    for scheme in ("light", "dark"):
        at.browser.media(prefers_color_scheme=scheme)
        at.browser.open("/traces?model=gpt-4o-mini")
        at.browser.js("for (const menu of document.querySelectorAll('details')) menu.open = true; document.getElementById('help').showModal()")
        assert not (bad := at.browser.js(CONTRAST)), bad


@test
def ids_headings_and_references_are_sound(at):
    each_page(at, lambda: at.browser.js(ORDER))


@test
def everything_has_a_name(at):
    each_page(at, lambda: nameless(at.browser))


@test
def the_focus_is_seen(at):
    each_page(at, lambda: at.browser.js(FOCUS))


@test
def each_page_has_a_title_and_says_where_the_reader_is(at):
    titles = []
    for name, address in usual(at.world).items():
        at.browser.open(address)
        titles.append(at.browser.driver.title)
        assert titles[-1].endswith(" · llmtrace") and at.browser.has("main h1"), name
    assert len(set(titles)) > 8, titles


@test
def a_reader_can_skip_to_the_content(at):
    at.browser.open("/traces")
    at.browser.press("Tab")
    assert at.browser.js("return document.activeElement.matches('a.skip') && document.activeElement.getBoundingClientRect().top >= 0")
    at.browser.press("Enter")
    assert at.browser.js("return document.activeElement.id") == "main"


def background(browser) -> str:
    return browser.js("return getComputedStyle(document.body).backgroundColor")


@test
def the_theme_is_kept(at):
    at.browser.open("/traces")
    light = background(at.browser)
    at.browser.one("[data-theme-toggle]").click()
    dark = background(at.browser)
    assert dark != light
    for page in ("/traces", "/dashboard"):
        at.browser.open(page)
        assert background(at.browser) == dark
    at.browser.one("[data-theme-toggle]").click()
    at.browser.driver.refresh()
    assert background(at.browser) == light


@test
def the_theme_is_the_systems_where_none_is_chosen(at):
    at.browser.open("/traces")
    light = background(at.browser)
    at.browser.media(prefers_color_scheme="dark")
    assert background(at.browser) != light
    at.browser.one("[data-theme-toggle]").click()
    assert background(at.browser) == light


@test.expecting("404", "400", "405")
def what_is_not_there_has_a_page_that_says_so(at):
    for address, words in (("/nothing", "nothing at /nothing"), (f"/traces/{'0' * 31}9", "no trace"), ("/traces/xyz", "32 hex digits"),
                           ("/traces?colour=red", "colour"), ("/traces?min_cost=dear", "min_cost"), ("/dashboard?by=moon", "by")):
        at.browser.open(address)
        assert words in at.browser.text("main"), (address, at.browser.text("main"))
        assert at.browser.has(".top nav a[href='/traces']") and not at.browser.js(CONTRAST)


@test
def answers_forbid_what_pages_do_not_need(at):
    with urllib.request.urlopen(at.server.url + "/traces") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for words in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert words in policy, policy
    assert "unsafe" not in policy
