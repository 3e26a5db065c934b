"""The page of an attribution graph: followed, pinned, grouped, pruned; of hostile and of large graphs.

dallas.json is what `llmtrace lens graph toy --prompt 'the capital of the state containing Dallas is' --out dallas.json` writes.
"""

import json
import random
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import otlp
from harness import Suite
from hostile import HOSTILE
from hostile_pages import ALIVE
from looks import CONTRAST, ORDER, nameless
from narrow import WIDE
from otlp import MS, Span

test = Suite()

DALLAS = (Path(__file__).parent / "dallas.json").read_text()
PROMPT = "the capital of the state containing Dallas is"
NUMBERS = iter(range(20_001, 21_000))
FRAME_MS = 50
GOES = 8

# Milliseconds between frames while `act` is done for a second: a drag, pins set and taken off, a slider pulled to and fro, or
# nothing but counting for 15 ms a frame, which tells how busy the computer is with other programs.
FRAMES = """
const [act, done] = arguments, canvas = document.querySelector('.circuit canvas'), box = canvas.getBoundingClientRect(), took = [];
const slider = document.querySelector('.c-slider input');
canvas.setPointerCapture = () => {};
const point = (type, x) => canvas.dispatchEvent(new PointerEvent(type, { clientX: box.left + x, clientY: box.top + 200, pointerId: 1, bubbles: true }));
const key = (name) => canvas.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
let steps = Infinity;
const count = (most) => { let sum = 0; for (let step = 0; step < most; step += 1) sum += Math.sqrt(step); return sum; };
const measure = () => { for (let go = 0; go < 20; go += 1) { const from = performance.now(); count(2e6); steps = Math.min(steps, performance.now() - from); } steps = 2e6 * 15 / steps; };
const begin = { count: measure, pan: () => point('pointerdown', 700), pin: () => key('ArrowDown'), prune: () => {} };
const go = {
  count: () => count(steps),
  pan: (at) => point('pointermove', 700 - 10 * at),
  pin: (at) => { if (at % 6 === 1) key('p'); },
  prune: (at) => { slider.value = 0.8 - 0.01 * Math.abs(30 - at); slider.dispatchEvent(new Event('input', { bubbles: true })); },
};
let last = 0, at = 0;
begin[act]();
requestAnimationFrame(function frame(now) {
  if (last) took.push(now - last);
  last = now;
  at += 1;
  if (at > 60) { point('pointerup', 0); done(took); return; }
  go[act](at);
  requestAnimationFrame(frame);
});
"""


def page(at, graph: str) -> str:
    """Stores a span with this graph, and answers with the path of the graph's page."""
    trace = otlp.trace_id(next(NUMBERS))
    attributes = {"gen_ai.operation.name": "text_completion", "gen_ai.request.model": "toy-relu", "llmtrace.lens.graph": graph}
    at.server.send(otlp.request([Span(trace, 1, 0, "explained", at.world.now, at.world.now + 5 * MS, attributes)], {"service.name": "graphs"}))
    return f"/traces/{trace}/spans/{otlp.span_id(1)}/graph"


def opened(at, graph: str) -> str:
    path = page(at, graph)
    at.browser.open(path)
    at.browser.until("the graph", lambda: at.browser.has(".circuit.c-ready"))
    return path


def node(name: str, layer, position: int, kind: str, **more) -> dict:
    return {"node_id": name, "feature": 1, "layer": str(layer), "ctx_idx": position, "feature_type": kind, "jsNodeId": f"{name}-0", "clerp": "", **more}


def large(nodes: int, links: int) -> str:
    """A random graph of 32 tokens and 24 layers. Each feature is fed by a token and leads to an answer, so that pruning leaves all of it."""
    choose, tokens, layers = random.Random(7), 32, 24
    made = [node(f"E_{at}_{at}", "E", at, "embedding", influence=0.9) for at in range(tokens)]
    made += [node(f"25_{at}_31", 25, 31, "logit", token_prob=0.5 / 2**at, clerp=f'Output "out{at}"') for at in range(10)]
    places = [(-1, at, f"E_{at}_{at}") for at in range(tokens)]
    for at in range(nodes - len(made)):
        layer, position = choose.randrange(layers), choose.randrange(tokens)
        places.append((layer, position, f"{layer}_{at}_{position}"))
        made.append(node(places[-1][2], layer, position, "cross layer transcoder", influence=at / nodes * 0.8, activation=1.0))
    features, found = places[tokens:], {}
    for _, position, name in features:
        token = choose.randrange(position + 1)
        found[f"E_{token}_{token}", name] = choose.gauss(0, 1)
        found[name, f"25_{choose.randrange(10)}_31"] = choose.gauss(0, 1)
    ends = features + [(25, 31, f"25_{at}_31") for at in range(10)]
    while len(found) < links:
        (low, early, source), (high, late, target) = choose.choice(places), choose.choice(ends)
        if low < high and early <= late:
            found[source, target] = choose.gauss(0, 1)
    texts = [f" w{at}" for at in range(tokens)]
    return json.dumps({"metadata": {"slug": "large", "scan": "random", "prompt_tokens": texts, "prompt": "".join(texts)}, "qParams": {}, "nodes": made,
                       "links": [{"source": source, "target": target, "weight": weight} for (source, target), weight in found.items()]})


@test
def a_span_leads_to_its_graph(at):
    path = page(at, DALLAS)
    trace = path.split("/spans/")[0]
    at.browser.open(trace)
    at.browser.follow(at.browser.link("Circuit", ".pane-head").click)
    assert at.browser.path.split("#")[0] == path
    at.browser.until("the graph", lambda: at.browser.has(".circuit.c-ready"))
    assert at.browser.text("main h1") == "Why “Austin”?" and "Dallas" in at.browser.text(".c-prompt")
    assert at.browser.texts(".c-score b") == ["100%", "100%"] and "21 of 21 nodes" in at.browser.text(".c-sliders")
    ways = at.browser.until("the ways", lambda: at.browser.texts(".c-path"))
    assert any(way.startswith("Dallas → L2 F325 → Austin") for way in ways), ways


@test
def a_node_is_followed_pinned_and_grouped(at):
    path = opened(at, DALLAS)
    next(way for way in at.browser.all(".c-path") if "L2 F325" in way.text).click()
    assert len(at.browser.all(".c-unit")) == 3
    at.browser.js("document.querySelectorAll('.c-unit')[1].dispatchEvent(new MouseEvent('click'))")
    assert at.browser.text(".c-side h2") == "L2 F325"
    first = at.browser.texts(".c-side .c-links .c-node")[0]
    assert first.startswith("Dallas") and "+" in first, first
    for box in at.browser.all(".c-pins input")[:2]:
        box.click()
    at.browser.fill(".c-below form input", "Texas <b>")
    at.browser.link("Group the ticked").click()
    assert "Texas <b>" in " ".join(at.browser.texts(".c-below b")) and len(at.browser.all(".c-unit")) == 2
    at.browser.until("the address says so", lambda: "Texas" in at.browser.path)
    address = at.browser.path
    at.browser.open("/traces")
    at.browser.open(address)
    at.browser.until("the same again", lambda: "Texas <b>" in " ".join(at.browser.texts(".c-below b")) and at.browser.text(".c-side h2") == "L2 F325")
    assert address.startswith(path)


@test
def keys_go_from_node_to_node(at):
    opened(at, DALLAS)
    at.browser.js("document.querySelector('.circuit canvas').focus()")
    at.browser.press("Down")
    assert at.browser.text(".c-side h2") == "Austin"
    at.browser.press("Down")
    assert at.browser.text(".c-side h2") != "Austin"
    at.browser.press("p")
    assert len(at.browser.all(".c-unit")) == 1
    at.browser.press("Escape")
    assert at.browser.text(".c-side h2") == "Strongest ways to the answer"


@test
def thresholds_keep_less(at):
    opened(at, DALLAS)
    at.browser.js("const s = document.querySelector('.c-slider input'); s.value = 0.5; s.dispatchEvent(new Event('input', { bubbles: true }))")
    at.browser.until("fewer nodes", lambda: int(at.browser.text(".c-sliders > .c-muted").split()[1]) < 21)


# The nodes and links that the page's own script keeps of a graph.
KEPT = """
const graph = parse(arguments[0]);
rankNodes(graph);
const steps = pruning(graph, arguments[1], arguments[2]);
let step;
do step = steps.next(); while (!step.done);
return [[...step.value.nodes].map((node) => node.id), step.value.links.map(({ source, target }) => [source.id, target.id])];
"""


def traced(at, nodes: float, edges: float) -> tuple[str, dict]:
    """What the program keeps of the graph of Dallas, and what it tells of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dallas.json"
        command = [at.server.process.args[0], "lens", "graph", "toy", "--prompt", PROMPT, "--node-threshold", str(nodes), "--edge-threshold", str(edges), "--out", path, "--json"]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return path.read_text(), json.loads(told)


@test
def a_way_has_the_share_that_the_program_tells(at):
    graph, told = traced(at, 0.7, 0.9)
    opened(at, graph)
    strongest = told["paths"][0]
    steps = [step.removeprefix("-> ").strip('"') for step in strongest["steps"]]
    shown = at.browser.until("the ways", lambda: at.browser.texts(".c-path"))[0]
    assert shown == f"{' → '.join(steps)} {strongest['share']:.1%} {'for' if strongest['net'] > 0 else 'against'}", (shown, strongest)


@test
def thresholds_keep_what_the_program_keeps(at):
    opened(at, DALLAS)
    _, script = at.server.request(at.browser.attributes("script[src*='circuit.js']", "src")[0])
    at.browser.open("/traces")
    (whole, _), sizes = traced(at, 0.99, 1), set()
    for nodes, edges in ((0.99, 1), (0.95, 0.9), (0.9, 0.98), (0.8, 0.98), (0.8, 0.5), (0.6, 0.98), (0.5, 0.8), (0.3, 1)):
        expected = json.loads(traced(at, nodes, edges)[0])
        kept_nodes, kept_links = at.browser.js(script.decode() + KEPT, whole, nodes, edges)
        assert sorted(kept_nodes) == sorted(node["node_id"] for node in expected["nodes"]), (nodes, edges)
        assert sorted(kept_links) == sorted([link["source"], link["target"]] for link in expected["links"]), (nodes, edges)
        sizes.add((len(kept_nodes), len(kept_links)))
    assert len(sizes) == 8, sizes


@test
def a_graph_of_the_disk_is_opened(at):
    opened(at, DALLAS)
    other = json.loads(DALLAS.replace("Dallas", "Oakland"))
    other["qParams"]["pinnedIds"] = [other["nodes"][0]["node_id"]]
    broken = {"not.json": "{", "list.json": "[]", "none.json": json.dumps({**other, "nodes": []}), "far.json": json.dumps({**other, "metadata": {"prompt_tokens": []}})}
    said = {"not.json": "not JSON", "list.json": "holds no object", "none.json": "no nodes", "far.json": "no position of the prompt"}
    with tempfile.TemporaryDirectory() as folder:
        def choose(name: str, text: str) -> None:
            (Path(folder) / name).write_text(text)
            at.browser.one(".circuit input[type=file]").send_keys(str(Path(folder) / name))

        choose("oakland.json", json.dumps(other))
        at.browser.until("the other graph", lambda: "Oakland" in at.browser.text(".c-prompt"))
        assert "oakland.json" in at.browser.text(".c-notice") and len(at.browser.all(".c-unit")) == 1
        for name, text in broken.items():
            choose(name, text)
            at.browser.until(f"what is wrong with {name}", lambda: said[name] in at.browser.text(".c-notice [role=alert]"))
            assert name in at.browser.text(".c-notice") and "Oakland" in at.browser.text(".c-prompt"), name


@test
def the_picture_and_the_graph_are_saved(at):
    opened(at, DALLAS)
    ways = at.browser.until("the ways", lambda: at.browser.all(".c-path"))
    next(way for way in ways if way.text.count("→") == 2).click()
    pinned = at.browser.attributes(".c-pins input", "value")
    with tempfile.TemporaryDirectory() as folder:
        at.browser.driver.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": folder})

        def saved(button: str, end: str) -> str:
            at.browser.link(button).click()
            return at.browser.until(f"the {end} file", lambda: next(Path(folder).glob(f"*.{end}")).read_text())

        drawing, graph = ElementTree.fromstring(saved("Save picture (SVG)", "svg")), json.loads(saved("Save graph with pins (JSON)", "json"))
    given, shown = json.loads(DALLAS), at.browser.text(".c-sliders > .c-muted")
    count = {kind: len(list(drawing.iter(f"{{http://www.w3.org/2000/svg}}{kind}"))) for kind in ("circle", "path", "rect")}
    features = sum(node["feature_type"] == "cross layer transcoder" for node in given["nodes"])
    assert count == {"circle": features, "path": int(shown.split(", ")[1].split()[0]), "rect": 1 + len(given["nodes"]) - features}, (count, shown)
    assert {key: held for key, held in graph.items() if key != "qParams"} == {key: held for key, held in given.items() if key != "qParams"}
    assert len(pinned) == 3 and graph["qParams"]["pinnedIds"] == pinned, (pinned, graph["qParams"])
    opened(at, json.dumps(graph))
    assert at.browser.attributes(".c-pins input", "value") == pinned


@test
def a_card_tells_what_a_feature_is_elsewhere(at):
    graph = json.loads(DALLAS)
    feature = next(held for held in graph["nodes"] if held["node_id"].startswith("2_325_"))
    tokens = ["of", "the", "state", "containing", "Waco", "is", "Austin"]
    graph["metadata"]["features"] = {feature["jsNodeId"]: {
        "label": "say Austin", "promoted": ["Austin", " Oregon"], "suppressed": ["Quincy"], "density": 0.015,
        "contexts": [{"tokens": tokens, "activations": [0, 0, 0, 0.1, 0.2, 0.687, 0]}, {"tokens": tokens * 20, "activations": [0] * 100 + [0.5]}, {"tokens": tokens, "activations": []}]}}
    opened(at, json.dumps(graph))
    at.browser.fill(".c-search-nodes input", "say Austin")
    at.browser.one(".c-found button").click()
    assert at.browser.text(".c-side h2") == "say Austin"
    assert at.browser.texts(".c-side .c-words li") == ["Austin", "␣Oregon", "Quincy"]
    assert "1.5% of the tokens" in at.browser.text(".c-side")
    contexts = at.browser.texts(".c-contexts p:not(.c-muted)")
    assert len(contexts) == 2 and contexts[0] == "of the state containing Waco is Austin peak 0.687" and contexts[1].startswith("…"), contexts
    assert at.browser.texts(".c-contexts .c-peak") == ["is", "state"]


@test
def names_of_a_graph_never_act(at):
    graph = json.loads(DALLAS.replace("Dallas", "__DALLAS__"))
    graph["metadata"]["prompt_tokens"] = [HOSTILE for _ in graph["metadata"]["prompt_tokens"]]
    graph["metadata"]["slug"] = graph["metadata"]["scan"] = HOSTILE
    for held in graph["nodes"]:
        held["clerp"] = HOSTILE
    graph["qParams"] = {"pinnedIds": [held["node_id"] for held in graph["nodes"]], "supernodes": [[HOSTILE, *[held["node_id"] for held in graph["nodes"][:3]]], ["__proto__"]], "__proto__": {"a": 1}}
    opened(at, json.dumps(graph))
    assert not (alive := at.browser.js(ALIVE.replace("main img, ", ""))), alive
    assert not (wide := at.browser.js(WIDE)), wide


@test.expecting("404")
def what_is_no_graph_says_so(at):
    for graph, words in (("{\"nodes\": [", "no graph's JSON"), ("[]", "no graph's JSON"), (DALLAS[:5_000], "no graph's JSON"),
                         (json.dumps({**json.loads(DALLAS), "metadata": {"slug": "", "scan": "", "prompt": "", "prompt_tokens": []}}), "but the prompt has 0 tokens")):
        at.browser.open(page(at, graph))
        assert words in at.browser.text("main .notice"), at.browser.text("main")


@test
def fifty_thousand_links_stay_quick(at):
    at.browser.driver.set_script_timeout(60)
    path, wrong = page(at, large(2_000, 50_000)), []

    def done(act: str) -> list[float]:
        return sorted(at.browser.driver.execute_async_script(FRAMES, act))

    for act in ("pan", "pin", "prune"):
        goes, counting = [], []
        # Each is done right after the page was opened. One go is to be without a slow frame, the very longest included. Where
        # other programs take the computer's time no go may be: then frames may be slow as often as those of a page that only counts.
        while len(goes) < GOES and (not goes or goes[-1][-1] >= FRAME_MS):
            at.browser.open("/traces")
            at.browser.open(f"{path}#nodes=1&edges=1")
            at.browser.until("the graph", lambda: at.browser.has(".circuit.c-ready"), 30)
            assert "2,000 of 2,000 nodes, 50,000 of 50,000 links" in at.browser.text(".c-sliders")
            goes.append(done(act))
            counting += done("count")
        best = min(goes, key=max)
        slow, slow_counting = (sum(frame >= FRAME_MS for frame in frames) for frames in (sum(goes, []), counting))
        print(f"     {act}: a frame takes {best[len(best) // 2]:.0f} ms, the longest {best[-2]:.0f} and {best[-1]:.0f} ms, at go {len(goes)}; {slow} slow, {slow_counting} of counting")
        if best[-1] >= FRAME_MS and slow > 2 * slow_counting:
            wrong.append(f"{act}: {slow} slow frames, {slow_counting} of counting: {[[round(frame) for frame in took[-8:]] for took in goes]}")
    assert not wrong, "\n".join(wrong)


# Keeps the picture as `window[name]` and answers with the share of it that is drawn on, at its left and at its right side.
LOOK = """
const canvas = document.querySelector('.circuit canvas'), { width, height } = canvas;
const copy = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', { willReadFrequently: true });
copy.drawImage(canvas, 0, 0);
const { data } = window[arguments[0]] = copy.getImageData(0, 0, width, height);
const inked = (from, to) => {
  let drawn = 0;
  for (let y = 0; y < height; y += 1) for (let x = from; x < to; x += 1) drawn += data[4 * (y * width + x)] < 240;
  return drawn / height / (to - from);
};
return [inked(100, width >> 1), inked(width >> 1, width)];
"""
# The share of the pixels that are not the same in two pictures.
OTHER = """
const [one, two] = [...arguments].map((name) => window[name].data);
let other = 0;
for (let at = 0; at < one.length; at += 4) other += Math.abs(one[at] - two[at]) > 40;
return 4 * other / one.length;
"""
DRAG = """
const canvas = document.querySelector('.circuit canvas'), box = canvas.getBoundingClientRect();
canvas.setPointerCapture = () => {};
const point = (type, x) => canvas.dispatchEvent(new PointerEvent(type, { clientX: box.left + x, clientY: box.top + 200, pointerId: 1, bubbles: true }));
const [by, done] = arguments;
let at = 0;
point('pointerdown', 0);
requestAnimationFrame(function frame() {
  at += 1;
  point('pointermove', at * by / 30);
  if (at < 30) requestAnimationFrame(frame);
  else { point('pointerup', by); done(); }
});
"""


@test
def what_is_moved_into_sight_is_drawn_whole(at):
    path = page(at, large(1_000, 30_000))
    at.browser.open("/traces")
    at.browser.open(f"{path}#nodes=1&edges=1")
    at.browser.until("the graph", lambda: at.browser.has(".circuit.c-ready"))

    def rested(name: str) -> list[float]:
        """What is drawn, once nothing is added to it any more."""
        at.browser.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        at.browser.until("a whole picture", lambda: at.browser.attributes(".circuit canvas", "aria-busy") == ["false"], 30)
        return at.browser.js(LOOK, name)

    rested("first")
    for by in (900, 900, -1800):
        at.browser.driver.execute_async_script(DRAG, by)
        left, right = rested("now")
        assert left > 0.2 and right > 0.1, (by, left, right)
    assert at.browser.js(OTHER, "first", "now") < 0.001, at.browser.js(OTHER, "first", "now")


@test
def the_page_reads_well_wide_and_narrow_light_and_dark(at):
    path, wrong = page(at, DALLAS), []
    for theme in ("light", "dark"):
        at.browser.media(prefers_color_scheme=theme)
        for width in (1280, 390):
            at.browser.size(width)
            at.browser.open("/traces")
            at.browser.open(path)
            at.browser.until("the graph", lambda: at.browser.has(".circuit.c-ready"))
            at.browser.js("document.querySelector('.c-path').click()")
            # Lengths of bars are set by the script as properties, which the policy allows.
            order = [words for words in at.browser.js(ORDER) if not words.startswith("style on")]
            wrong += [f"{theme} {width}: {words}" for words in (*at.browser.js(CONTRAST), *at.browser.js(WIDE), *order, *nameless(at.browser))]
    assert not wrong, "\n".join(wrong[:40])
