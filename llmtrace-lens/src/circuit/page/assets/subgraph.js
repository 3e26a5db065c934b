// The small graph of what is pinned: single nodes and groups, each a box, with the links between them put together.
const BOX = { width: 132, height: 40, across: 20, down: 44 };

const unitsOf = (state) => {
  const grouped = new Set(state.groups.flatMap((made) => made.nodes));
  const single = [...state.pinned].filter((node) => !grouped.has(node)).map((node) => ({ label: node.name, nodes: [node] }));
  return [...state.groups.map((made) => ({ ...made, isGroup: true })), ...single];
};

// Links between units: the sums of their weights, and which share they are of all that feeds the one they lead to.
const betweenUnits = (units, sizes) => {
  const unitOf = new Map(units.flatMap((unit) => unit.nodes.map((node) => [node, unit])));
  const sums = new Map();
  for (const unit of units) {
    unit.size = unit.nodes.reduce((sum, node) => sum + sizes[node.index], 0);
    for (const link of unit.nodes.flatMap((node) => node.ins)) {
      const from = unitOf.get(link.source);
      if (!from || from === unit) continue;
      if (!sums.has(unit)) sums.set(unit, new Map());
      const of = sums.get(unit).get(from) ?? { from, to: unit, weight: 0, much: 0 };
      of.weight += link.weight;
      of.much += Math.abs(link.weight);
      sums.get(unit).set(from, of);
    }
  }
  return [...sums.values()].flatMap((of) => [...of.values()]).map((link) => ({ ...link, share: link.much / (link.to.size || 1) }));
};

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const heightOf = (node, top) => (node.kind === "answer" ? top : node.layer);

const placeUnits = (units, graph) => {
  const top = 1 + Math.max(...graph.nodes.filter((node) => node.kind !== "answer").map((node) => node.layer));
  const rows = group(units, (unit) => Math.round(mean(unit.nodes.map((node) => heightOf(node, top)))));
  const keys = [...rows.keys()].sort((a, b) => b - a);
  const widest = Math.max(...[...rows.values()].map((row) => row.length));
  const width = widest * (BOX.width + BOX.across);
  for (const [at, key] of keys.entries()) {
    const row = rows.get(key).sort((a, b) => mean(a.nodes.map((node) => node.position)) - mean(b.nodes.map((node) => node.position)));
    for (const [index, unit] of row.entries()) {
      unit.x = (index + 0.5) * width / row.length;
      unit.y = BOX.height / 2 + 4 + at * (BOX.height + BOX.down);
    }
  }
  return { width, height: keys.length * (BOX.height + BOX.down) - BOX.down + 8 };
};

const subgraph = (page) => {
  const { state, graph } = page;
  const units = unitsOf(state);
  if (!units.length) return el("p", { class: "muted" }, "Nothing is pinned yet. Choose a node and press Pin, or press one of the strongest ways: the pinned nodes and what passes between them are drawn here.");
  const links = betweenUnits(units, graph.whole.sizes);
  const { width, height } = placeUnits(units, graph);
  const lines = links.sort((a, b) => a.share - b.share).map((link) => {
    const [from, to] = [link.from, link.to];
    const name = link.weight > 0 ? "for" : "against";
    const [y1, y2] = [from.y - BOX.height / 2, to.y + BOX.height / 2];
    const line = svg("path", { class: `link ${name}`, d: `M${from.x} ${y1}C${from.x} ${y1 - 22} ${to.x} ${y2 + 22} ${to.x} ${y2}`, "stroke-width": (1 + 5 * Math.sqrt(Math.min(1, link.share))).toFixed(1),
      "stroke-dasharray": link.weight > 0 ? null : "5 4" });
    return svg("g", {}, line, svg("title", {}, `${from.label} → ${to.label}: ${signed(link.weight)}, ${percent(link.share)} of what feeds it`));
  });
  const texts = links.filter((link) => link.share >= 0.05).map((link) => svg("text", { class: "figure", x: (link.from.x + link.to.x) / 2, y: (link.from.y + link.to.y) / 2 + 4 }, `${link.weight > 0 ? "" : "−"}${percent(link.share)}`));
  const boxes = units.map((unit) => unitBox(page, unit));
  const drawing = svg("svg", { viewBox: `-2 -2 ${width + 4} ${height + 4}`, width: width + 4, height: height + 4, role: "group", "aria-label": "What is pinned" }, ...lines, ...texts, ...boxes);
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The small graph" }, drawing);
};

const unitBox = (page, unit) => {
  const [first] = unit.nodes;
  const below = unit.isGroup ? count(unit.nodes.length, "node") : first.kind === "feature" || first.kind === "error" ? `at ${visible(page.graph.tokens[first.position] ?? "")}` : first.kind === "answer" ? percent(first.probability ?? NaN) : "token";
  const choose = () => page.choose(first, "reveal");
  const key = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } };
  return svg("g", { class: `unit ${unit.isGroup ? "together" : first.kind}`, tabindex: "0", role: "button", "aria-label": `${unit.label}, ${below}`, onclick: choose, onkeydown: key },
    unit.isGroup && svg("rect", { x: unit.x - BOX.width / 2 + 4, y: unit.y - BOX.height / 2 - 4, width: BOX.width, height: BOX.height, rx: 8 }),
    svg("rect", { x: unit.x - BOX.width / 2, y: unit.y - BOX.height / 2, width: BOX.width, height: BOX.height, rx: 8 }),
    svg("text", { class: "name", x: unit.x, y: unit.y - 3 }, cut(unit.label, 19)),
    svg("text", { class: "below", x: unit.x, y: unit.y + 12 }, cut(below, 22)));
};

// Everything that is pinned as a list, with what groups are made and undone by.
const pinnedTools = (page) => {
  const { state } = page;
  const parts = [];
  if (state.pinned.size) {
    const rows = [...state.pinned].map((node) => el("li", {},
      el("label", {}, el("input", { type: "checkbox", value: node.id }), el("span", { class: `dot ${node.kind}` }), el("bdi", {}, cut(node.name, 40)),
        el("small", {}, state.groupOf(node) ? ` in “${state.groupOf(node).label}”` : node.kind === "feature" || node.kind === "error" ? ` at ${visible(page.graph.tokens[node.position] ?? "")}` : "")),
      button("Unpin", () => page.unpin(node), { "aria-label": `Unpin ${node.name}` })));
    const items = el("ul", { class: "pins" }, rows);
    const name = el("input", { type: "text", maxlength: "60", placeholder: "What they mean together", "aria-label": "Name of the group" });
    const note = el("span", { class: "muted", role: "status" });
    const make = (event) => {
      event.preventDefault();
      const nodes = [...items.querySelectorAll("input:checked")].map((box) => page.graph.byId.get(box.value)).filter(Boolean);
      if (nodes.length < 2 || !name.value.trim()) note.textContent = nodes.length < 2 ? "Tick at least two pinned nodes." : "Give the group a name.";
      else page.makeGroup(name.value.trim(), nodes);
    };
    parts.push(items, el("form", { class: "buttons", onsubmit: make }, name, el("button", { type: "submit" }, "Group the ticked"), button("Unpin all", () => page.unpinAll()), note));
  }
  for (const made of state.groups) {
    parts.push(el("p", { class: "buttons" }, el("b", {}, el("bdi", {}, made.label)), el("small", {}, count(made.nodes.length, "node")), button("Ungroup", () => page.ungroup(made), { "aria-label": `Ungroup ${made.label}` })));
  }
  if (state.proposed.length) {
    const rows = state.proposed.slice(0, 30).map((made) => button(`${cut(made.label, 30)} (${made.nodes.length})`, () => page.acceptGroup(made), { title: made.nodes.map((node) => node.name).slice(0, 12).join(", ") }));
    parts.push(el("div", { class: "proposed" }, el("h3", {}, "Proposed groups"), el("p", { class: "muted" }, "Features that do nearly the same; press one to pin it as a group."), el("p", { class: "buttons" }, rows)));
  }
  return parts;
};
