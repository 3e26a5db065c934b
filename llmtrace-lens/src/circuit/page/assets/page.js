// The page: puts the parts together and keeps them in step.
const REST_MS = 150;
const ADDRESS_MS = 200;

class Page {
  constructor(root) {
    this.root = root;
    this.parts = {};
    for (const name of ["head", "tools", "side", "below", "notice"]) this.parts[name] = el("div", { class: name });
    this.canvas = el("canvas", { tabindex: "0", role: "application", "aria-describedby": "circuit-keys",
      "aria-label": "The graph. Arrow keys go from node to node, p pins, plus and minus zoom, 0 shows all, Escape goes back to all." });
    this.tip = el("div", { class: "tip", hidden: true });
    this.probe = el("span", { hidden: true });
    this.stage = el("div", { class: "stage" }, this.canvas, this.tip, this.probe, this.zoomButtons());
    const keys = el("p", { class: "muted keys-line", id: "circuit-keys" }, "Press a node to see what feeds it and where it goes. Drag to move, pinch or Ctrl + wheel to zoom; arrow keys go from node to node, ",
      el("kbd", {}, "p"), " pins, ", el("kbd", {}, "0"), " shows all.");
    const left = el("div", { class: "left" }, legend(), this.stage, keys);
    root.append(this.parts.notice, this.parts.head, el("div", { class: "halves" }, left, this.parts.side, this.parts.tools, this.parts.below));
    this.drawing = new Drawing(this.canvas, this.probe);
    this.moves = new Moves(this.drawing, { choose: (node) => this.choose(node), hover: (node, event) => this.hover(node, event), pin: () => this.drawing.chosen && this.togglePin(this.drawing.chosen) });
    new ResizeObserver(() => this.resize()).observe(this.stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.drawing.readInks());
    new MutationObserver(() => this.drawing.readInks()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    addEventListener("hashchange", () => { if (this.state && location.hash !== this.state.hash()) this.restore(); });
    root.addEventListener("dragover", (event) => event.preventDefault());
    root.addEventListener("drop", (event) => { event.preventDefault(); this.openFile(event.dataTransfer?.files[0]); });
  }

  zoomButtons() {
    const zoom = (by) => () => this.moves.zoom(by, this.drawing.width / 2, this.drawing.height / 2);
    return el("div", { class: "zoom" }, button("+", zoom(1.3), { "aria-label": "Larger" }), button("−", zoom(1 / 1.3), { "aria-label": "Smaller" }), button("All", () => this.moves.fit(), { title: "Show all of it (key 0)" }));
  }

  // Shows a graph; what the address says of it is kept where it comes with the page.
  open(source, from) {
    const graph = typeof source === "string" ? parse(source) : readGraph(source);
    rankNodes(graph);
    this.graph = this.drawing.graph = graph;
    this.state = new State(graph);
    if (from === "page") this.state.fromHash(location.hash);
    this.parts.head.replaceChildren(...head(this));
    this.parts.tools.replaceChildren(...this.tools());
    this.notice(graph.warnings.join(" "), "warn");
    this.root.classList.add(classes("ready"));
    this.resize();
    this.prune();
    this.changed();
    this.moves.begin();
  }

  restore() {
    this.state.fromHash(location.hash);
    this.parts.tools.replaceChildren(...this.tools());
    this.prune();
    this.changed();
  }

  async openFile(file) {
    if (!file) return;
    try {
      if (file.size > 200 * 2 ** 20) throw new Fault("The file has more than 200 MB; this page does not open it.");
      this.open(await file.text(), "file");
      this.notice(`This is ${cut(file.name, 80)} now. ${this.graph.warnings.join(" ")}`, "");
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.notice(`${cut(file.name, 80)}: ${error.message}`, "bad");
    }
  }

  notice(words, kind) {
    this.parts.notice.replaceChildren(...(words.trim() ? [el("p", { class: kind, role: kind === "bad" ? "alert" : "status" }, words)] : []));
  }

  // The part of the graph that the thresholds keep, at once.
  prune() {
    const steps = this.pruneSteps();
    while (!steps.next().done);
  }

  // The same bit by bit, once more where the thresholds went on meanwhile. What stands beside the graph waits until they rest.
  pruneSoon() {
    this.isStale = true;
    if (this.isPruning) return;
    this.isPruning = this.drawing.isBusy = true;
    requestAnimationFrame(() => {
      this.isStale = false;
      inSlices(this.pruneSteps(), () => {
        this.isPruning = this.drawing.isBusy = false;
        if (this.isStale) this.pruneSoon();
        else this.rest();
      });
    });
  }

  * pruneSteps() {
    const { drawing, graph, state } = this;
    const shown = yield* pruning(graph, state.nodeShare, state.edgeShare);
    yield;
    const placed = layout(graph, shown, { width: drawing.width || 700, height: drawing.height || 500 });
    yield;
    if (graph === this.graph) this.showPart(shown, placed);
  }

  showPart(shown, placed) {
    const { drawing, graph } = this;
    const before = drawing.placed;
    this.shown = shown;
    drawing.show(shown, placed);
    this.drawChosen();
    if (before) this.moves.keep(before);
    this.kept.textContent = `Shown: ${shown.nodes.size.toLocaleString("en-US")} of ${count(graph.nodes.length, "node")}, ${shown.links.length.toLocaleString("en-US")} of ${count(graph.links.length, "link")}`;
  }

  rest() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => { this.showSide(); this.keepAddress(); }, REST_MS);
  }

  drawChosen() {
    const { chosen } = this.state;
    this.drawing.choose(chosen && this.shown.nodes.has(chosen) ? chosen : null);
  }

  // Everything may be other than it was.
  changed() {
    this.showSide();
    this.pinsChanged();
  }

  pinsChanged() {
    const { drawing, state, parts } = this;
    drawing.pinned = state.pinned;
    drawing.ask();
    if (state.chosen) markPin(this, state.chosen);
    parts.below.replaceChildren(el("h2", {}, "Pinned"), subgraph(this), ...pinnedTools(this));
    this.keepAddress();
  }

  // One node, or the strongest ways to the answer.
  showSide() {
    const { graph, shown, state, parts } = this;
    this.stopSearch?.();
    if (state.chosen) {
      parts.side.replaceChildren(...nodeCard(this, state.chosen));
      return;
    }
    const list = el("div", {}, el("p", { class: "muted" }, "Looking for them…"));
    parts.side.replaceChildren(el("h2", {}, "Strongest ways to the answer"), el("p", { class: "muted" }, "Each line is one way from a token of the prompt, through features, to a possible next token, with its share of all influence. Press one to pin its nodes."), list);
    this.stopSearch = inSlices(strongestWays(graph, shown), (ways) => list.replaceChildren(wayList(this, ways)));
  }

  // The address says what the reader sees; browsers allow few changes of it in a second.
  keepAddress() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => {
      try { history.replaceState(null, "", this.state.hash()); } catch { /* a place where addresses are fixed */ }
    }, ADDRESS_MS);
  }

  choose(node, how) {
    this.state.chosen = node;
    this.drawChosen();
    this.showSide();
    this.keepAddress();
    if (node && how === "reveal") this.moves.reveal(node);
  }

  hover(node, event) {
    if (node !== this.tipped) {
      this.tipped = node;
      this.tip.hidden = !node;
      if (!node) return;
      this.tip.replaceChildren(el("b", {}, el("bdi", {}, node.name)), el("span", {}, place(this.graph, node)), node.activation === null ? "" : el("span", {}, `active with ${number(node.activation)}`));
      this.tipSize = { width: this.tip.offsetWidth, height: this.tip.offsetHeight };
    }
    if (!node) return;
    const { width, height } = this.tipSize;
    const left = Math.min(event.offsetX + 14, this.drawing.width - width - 6);
    const under = event.offsetY + 18 + height > this.drawing.height;
    this.tip.style.transform = `translate(${Math.max(4, left)}px, ${under ? event.offsetY - height - 10 : event.offsetY + 18}px)`;
  }

  togglePin(node) { if (this.state.pinned.has(node)) this.state.unpin(node); else this.state.pin(node); this.pinsChanged(); }
  unpin(node) { this.state.unpin(node); this.pinsChanged(); }
  pinAll(nodes) { nodes.forEach((node) => this.state.pin(node)); this.pinsChanged(); }
  unpinAll() { this.state.pinned.clear(); this.state.groups = []; this.pinsChanged(); }
  makeGroup(label, nodes) { this.state.group(label, nodes); this.pinsChanged(); }
  ungroup(made) { this.state.groups = this.state.groups.filter((other) => other !== made); this.pinsChanged(); }
  acceptGroup(made) { this.state.proposed = this.state.proposed.filter((other) => other !== made); this.makeGroup(made.label, made.nodes); }

  resize() {
    const { width, height } = this.stage.getBoundingClientRect();
    if (!width || (width === this.drawing.width && height === this.drawing.height)) return;
    const isFirst = !this.drawing.width;
    this.drawing.resize(width, height);
    if (this.shown && isFirst) this.moves.begin();
  }

  // Search, thresholds, files.
  tools() {
    const { state, graph } = this;
    this.kept = el("span", { class: "muted", role: "status" });
    const slider = (name, key, most, words) => {
      const shown = el("output", {}, percent(state[key]));
      const input = el("input", { type: "range", min: "0", max: String(most), step: "0.005", value: String(state[key]), "aria-label": `${name} this share of the influence`, oninput: () => {
        state[key] = Math.min(most, Number(input.value));
        shown.textContent = percent(state[key]);
        this.pruneSoon();
      } });
      return el("label", { class: "slider", title: words }, el("span", {}, name, " ", shown, " of the influence"), input);
    };
    const picker = el("input", { type: "file", accept: ".json,application/json", class: "visually-hidden", tabindex: "-1", "aria-label": "A graph's JSON file", onchange: () => { this.openFile(picker.files[0]); picker.value = ""; } });
    return [
      search(this),
      el("div", { class: "sliders" }, slider("Nodes with", "nodeShare", graph.about.nodeShare, "Keeps the nodes with the most influence on the answer, up to this share of it"),
        slider("Links with", "edgeShare", graph.about.edgeShare, "Of the links between them, keeps the strongest, up to this share of the influence"), this.kept),
      el("p", { class: "buttons" }, button("Save picture (SVG)", () => download(`${graph.about.slug}.svg`, "image/svg+xml", picture(this.drawing, graph.about.prompt))),
        button("Save graph with pins (JSON)", () => download(`${graph.about.slug}.json`, "application/json", JSON.stringify(state.toFile()))),
        button("Open another graph…", () => picker.click(), { title: "A JSON file of llmtrace, circuit-tracer or Neuronpedia; or drop one on the page" }), picker),
    ];
  }
}

const legend = () => el("ul", { class: "legend" },
  el("li", {}, el("span", { class: "dot token" }), "token of the prompt"),
  el("li", {}, el("span", { class: "dot feature" }), "feature: something the model noticed; larger matters more"),
  el("li", {}, el("span", { class: "dot error" }), "not explained by features"),
  el("li", {}, el("span", { class: "dot answer" }), "possible next token"),
  el("li", {}, el("span", { class: "stroke for" }), "adds to"),
  el("li", {}, el("span", { class: "stroke against" }), "takes from"));

// What is explained, and how far the graph may be trusted.
const head = ({ graph }) => {
  const { about } = graph;
  const answers = graph.nodes.filter((node) => node.kind === "answer").sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0));
  const scores = [
    [about.replacement, "Through features", "This share of the influence on the answer reaches it from the prompt through features alone; the rest passes through what they miss."],
    [about.completeness, "Inputs explained", "This share of what feeds the nodes comes from nodes with a name; the rest is error, which the graph cannot explain."],
  ].filter(([share]) => share !== null);
  return [
    el("p", { class: "prompt" }, graph.tokens.map((token) => el("span", {}, el("bdi", {}, visible(token)))), el("i", {}, "→"),
      el("b", {}, el("bdi", {}, answers[0]?.name ?? ""))),
    el("div", { class: "facts" },
      el("div", {}, el("p", { class: "title" }, "What may come next"), el("ol", { class: "answers" }, answers.slice(0, 5).map((node) => el("li", {}, el("bdi", {}, node.name), bar(node.probability ?? 0, "answer"), el("span", {}, percent(node.probability ?? NaN)))))),
      ...scores.map(([share, name, words]) => el("div", { class: "score" }, el("b", {}, percent(share)), el("p", { class: "title" }, name), el("p", {}, words)))),
    el("p", { class: "muted" }, [about.model && `Model ${about.model}`, about.transcoders && `features: ${about.transcoders}`, about.active !== null && `${count(about.active, "feature")} active`].filter(Boolean).join(", ")),
  ];
};

const search = (page) => {
  const found = el("div", { class: "found" });
  const look = () => {
    const words = box.value.trim().toLowerCase();
    if (!words) return found.replaceChildren();
    const holds = (node) => [node.name, node.label, node.id, ...list(node.details?.promoted).map((word) => (isObject(word) ? text(word.token) : text(word)))].some((held) => held.toLowerCase().includes(words));
    const hits = page.graph.nodes.filter((node) => holds(node) || visible(page.graph.tokens[node.position] ?? "").toLowerCase() === words);
    hits.sort((a, b) => page.graph.whole.influence[b.index] - page.graph.whole.influence[a.index]);
    const rows = hits.slice(0, 12).map((node) => el("li", {}, el("button", { type: "button", class: "node", onclick: () => page.choose(node, "reveal") }, el("span", { class: `dot ${node.kind}` }), el("span", { class: "name" }, el("bdi", {}, node.name), el("small", {}, ` ${place(page.graph, node)}`)))));
    found.replaceChildren(el("p", { class: "muted", role: "status" }, hits.length ? count(hits.length, "node") : "No node has these words."), el("ol", { class: "links" }, rows));
  };
  const box = el("input", { type: "search", placeholder: "Find a node: word or number", "aria-label": "Find a node", oninput: look });
  return el("div", { class: "search-nodes" }, box, found);
};

// The graph stands in the page, or at the address that the page names.
const start = async (root) => {
  const page = new Page(root);
  try {
    const held = document.getElementById("circuit-graph");
    if (held) return page.open(held.textContent, "page");
    const answer = await fetch(root.dataset.graph, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Fault(`The server answers ${answer.status} for this graph.`);
    page.open(await answer.text(), "page");
  } catch (error) {
    const words = error instanceof Fault ? error.message : `The graph cannot be shown: ${error.message}`;
    page.notice(words, "bad");
    page.parts.tools.replaceChildren();
  }
};

const root = document.getElementById("circuit");
if (root) start(root);
