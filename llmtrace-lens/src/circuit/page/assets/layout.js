// Where nodes stand: tokens along the bottom, layers above each other, answers on top.
const DOT_GAP = 24;
const LINE_HEIGHT = 24;
const ROW_GAPS = [46, 120];
const FEW = 60;
const NAMED_GAPS = [64, 52, 40];
const BOX_HEIGHT = 24;
const MOST_IN_LINE = 8;
const LETTER = 7.3;
const AXIS = 72;

const boxWidth = (node) => Math.min(150, LETTER * [...boxText(node)].length + 16);
const boxText = (node) => (node.kind === "answer" && node.probability ? `${cut(node.name, 14)} ${percent(node.probability)}` : cut(node.name, 18));

// Where few nodes have to share the room, there is place for their names, and rows are as far apart as fills it.
const layout = (graph, shown, room) => {
  const rows = group(shown.nodes, (node) => (node.kind === "answer" ? Infinity : node.layer));
  for (const [key, nodes] of rows) rows.set(key, group(nodes, (node) => node.position));
  const gaps = shown.nodes.size <= FEW ? [...NAMED_GAPS, DOT_GAP] : [DOT_GAP];
  const fits = (gap) => columnsOf(graph, rows, gap).width + AXIS <= room.width / READABLE;
  const columns = columnsOf(graph, rows, gaps.find(fits) ?? DOT_GAP);
  const scale = Math.max(READABLE, Math.min(1, room.width / (columns.width + AXIS)));
  const rowGap = Math.min(ROW_GAPS[1], Math.max(ROW_GAPS[0], (room.height / scale - 3 * BOX_HEIGHT) / rows.size));
  const places = new Map();
  const axis = [];
  let y = BOX_HEIGHT / 2 + 8;
  const answers = [...(rows.get(Infinity)?.values() ?? [])].flat().sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0));
  for (const line of linesOf(answers, columns.width)) {
    let right = columns.width - 6;
    for (const node of line) {
      const width = boxWidth(node);
      places.set(node, { x: right - width / 2, y, width });
      right -= width + 8;
    }
    axis.push({ y, text: places.size === line.length ? "answers" : "" });
    y += BOX_HEIGHT + 8;
  }
  for (const key of [...rows.keys()].filter(Number.isFinite).sort((a, b) => b - a)) {
    const cells = rows.get(key);
    const isTokens = key < 0;
    const lines = isTokens ? 1 : Math.max(...[...cells.values()].map((nodes) => Math.ceil(nodes.length / MOST_IN_LINE)));
    y += rowGap - LINE_HEIGHT / 2;
    axis.push({ y: y + (lines - 1) * LINE_HEIGHT / 2, text: isTokens ? "tokens" : `layer ${key}` });
    for (const [position, nodes] of cells) placeCell(places, columns, position, nodes, y, isTokens, shown);
    y += (lines - 1) * LINE_HEIGHT + LINE_HEIGHT / 2;
  }
  const [xs, ys] = [new Float32Array(graph.nodes.length), new Float32Array(graph.nodes.length)];
  for (const [node, place] of places) [xs[node.index], ys[node.index]] = [place.x, place.y];
  return { places, x: xs, y: ys, axis, columns, width: columns.width + DOT_GAP, height: y + BOX_HEIGHT };
};

const columnsOf = (graph, rows, gap) => {
  const widths = graph.tokens.map((token) => Math.min(150, LETTER * Math.min(18, [...visible(token)].length) + 16) + 10);
  for (const [key, cells] of rows) {
    if (!Number.isFinite(key)) continue;
    for (const [position, nodes] of cells) {
      widths[position] = Math.max(widths[position], Math.min(nodes.length, MOST_IN_LINE) * gap + 14);
    }
  }
  const middles = [];
  let x = 0;
  for (const width of widths) {
    middles.push(x + width / 2);
    x += width;
  }
  return { widths, middles, gap, width: Math.max(x, 200) };
};

const linesOf = (answers, room) => {
  const lines = [[]];
  let used = 0;
  for (const node of answers) {
    const width = boxWidth(node) + 8;
    if (used + width > room && lines.at(-1).length) { lines.push([]); used = 0; }
    lines.at(-1).push(node);
    used += width;
  }
  return lines;
};

const placeCell = (places, columns, position, nodes, y, isTokens, shown) => {
  const middle = columns.middles[position];
  if (isTokens) {
    for (const node of nodes) places.set(node, { x: middle, y, width: columns.widths[position] - 10 });
    return;
  }
  nodes.sort((a, b) => shown.influence[b.index] - shown.influence[a.index] || a.index - b.index);
  for (const [index, node] of nodes.entries()) {
    const line = Math.floor(index / MOST_IN_LINE);
    const inLine = Math.min(MOST_IN_LINE, nodes.length - line * MOST_IN_LINE);
    const radius = 4.5 + 4.5 * Math.sqrt(shown.influence[node.index] / (shown.most || 1));
    places.set(node, { x: middle + (index % MOST_IN_LINE - (inLine - 1) / 2) * columns.gap, y: y + line * LINE_HEIGHT, width: 0, radius });
  }
};
