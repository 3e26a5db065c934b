// Files that the reader takes away: the picture as it is seen, and the graph with pins and groups.
const MOST_DRAWN_LINKS = 20_000;

const download = (name, type, content) => {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = el("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
};

// What the canvas shows, as a drawing: the same part, the same colours.
const picture = (drawing, title) => {
  const { view, width, height, placed, shown, inks } = drawing;
  const isSeen = ({ x, y, width: own }) => x + own / 2 > view.x && x - own / 2 < view.x + width / view.scale && y > view.y && y < view.y + height / view.scale;
  const transform = `scale(${view.scale}) translate(${-view.x} ${-view.y})`;
  const links = drawing.chosen ? drawing.followed : [...shown.links].sort((a, b) => Math.abs(a.weight) - Math.abs(b.weight)).slice(-MOST_DRAWN_LINKS);
  const lines = links.map(({ source, target, weight }) => {
    const [from, to, strength] = [placed.places.get(source), placed.places.get(target), Math.abs(weight) / shown.largest];
    return svg("path", { d: `M${round(from.x)} ${round(from.y)}L${round(to.x)} ${round(to.y)}`, stroke: weight > 0 ? inks.for : inks.against, "stroke-width": round(0.6 + 3.4 * Math.sqrt(strength)),
      "stroke-opacity": round(drawing.chosen ? 0.35 + 0.65 * strength : (0.06 + 0.94 * strength) * drawing.density), "stroke-dasharray": weight > 0 ? null : NEGATIVE_DASH.join(" ") });
  });
  const marks = [...placed.places].filter(([, at]) => isSeen(at)).map(([node, at]) => mark(drawing, node, at));
  const rows = placed.axis.filter(({ text }) => text).map(({ y, text }) => svg("text", { x: 4, y: round((y - view.y) * view.scale + 4), fill: inks.muted, "font-size": 12 }, text));
  const made = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "system-ui, sans-serif" }, svg("title", {}, title),
    svg("rect", { width, height, fill: inks.page }), svg("g", { transform }, svg("g", { fill: "none" }, ...lines), ...marks), ...rows);
  return new XMLSerializer().serializeToString(made);
};

const round = (value) => Math.round(value * 100) / 100;

const mark = (drawing, node, { x, y, width, radius = 6 }) => {
  const { inks, pinned, chosen } = drawing;
  const ring = node === chosen || pinned.has(node) ? { stroke: inks.mark, "stroke-width": 2.5 } : null;
  const title = svg("title", {}, `${node.name}: ${place(drawing.graph, node)}`);
  if (width) {
    const box = svg("rect", { x: round(x - width / 2), y: round(y - BOX_HEIGHT / 2), width: round(width), height: BOX_HEIGHT, rx: node.kind === "answer" ? 12 : 3, fill: inks.page, stroke: inks[node.kind], ...ring });
    return svg("g", {}, title, box, svg("text", { x: round(x), y: round(y + 4), "text-anchor": "middle", "font-size": 12, "font-family": "monospace", fill: inks.text }, boxText(node)));
  }
  const shape = node.kind === "error"
    ? svg("path", { d: `M${round(x)} ${round(y - radius)}l${radius} ${radius}l${-radius} ${radius}l${-radius} ${-radius}z`, fill: inks.page, stroke: inks.error, ...ring })
    : svg("circle", { cx: round(x), cy: round(y), r: round(radius), fill: inks.feature, stroke: inks.page, ...ring });
  const isNamed = drawing.placed.places.size <= 60 || node === chosen || pinned.has(node);
  return svg("g", {}, title, shape, isNamed && svg("text", { x: round(x + 9), y: round(y - 8), "font-size": 12, fill: inks.text }, cut(node.name, 28)));
};
