// Which part of the graph carries most of its influence: circuit-tracer's rules, as the program has them, on the links of the file.
// Links stand in flat lists, those of one target together, targets from the answers down, so that one pass over them is enough.

const weightsOf = (nodes) => {
  const answers = nodes.filter((node) => node.kind === "answer");
  const known = answers.some((node) => node.probability > 0);
  return new Map(answers.map((node) => [node, known ? Math.max(0, node.probability ?? 0) : 1]));
};

// The links of a graph as numbers: who adds, who is added to, how much.
const flatten = (graph) => {
  const { nodes, links } = graph;
  links.sort((a, b) => b.target.order - a.target.order);
  const flat = { from: new Int32Array(links.length), to: new Int32Array(links.length), size: new Float64Array(links.length), weight: new Float64Array(nodes.length), isEnd: new Uint8Array(nodes.length), isError: new Uint8Array(nodes.length) };
  for (const [at, link] of links.entries()) {
    link.index = at;
    [flat.from[at], flat.to[at], flat.size[at]] = [link.source.index, link.target.index, Math.abs(link.weight)];
  }
  for (const [node, weight] of graph.weights) flat.weight[node.index] = weight;
  for (const node of nodes) {
    flat.isEnd[node.index] = Number(node.kind === "token" || node.kind === "answer");
    flat.isError[node.index] = Number(node.kind === "error");
  }
  return flat;
};

// How much each node matters to the answers: links by size, each node's inputs made to sum to 1, followed down all paths.
const influences = ({ from, to, size, weight }, kept) => {
  const influence = new Float64Array(kept.length);
  const sizes = new Float64Array(kept.length);
  for (let at = 0; at < to.length; at += 1) if (kept[from[at]] && kept[to[at]]) sizes[to[at]] += size[at];
  for (let node = 0; node < kept.length; node += 1) sizes[node] = Math.max(sizes[node], 1e-10);
  for (let at = 0; at < to.length; at += 1) {
    const target = to[at];
    if (kept[from[at]] && kept[target]) influence[from[at]] += (weight[target] + influence[target]) * size[at] / sizes[target];
  }
  return { influence, sizes };
};

// Nodes that matter less come later in the order of these numbers: which share of all influence they and those above them have.
const rankNodes = (graph) => {
  graph.weights = weightsOf(graph.nodes);
  graph.flat = flatten(graph);
  graph.whole = influences(graph.flat, new Uint8Array(graph.nodes.length).fill(1));
  // Shares are of all that enters a node, where the file says how much that is.
  for (const node of graph.nodes) graph.whole.sizes[node.index] = Math.max(graph.whole.sizes[node.index], node.inputSize ?? 0);
  if (graph.nodes.some((node) => node.influence !== null)) return;
  const { influence } = graph.whole;
  const total = influence.reduce((sum, value) => sum + value, 0);
  let sum = 0;
  for (const node of [...graph.nodes].sort((a, b) => influence[b.index] - influence[a.index])) {
    sum += influence[node.index];
    node.influence = total > 0 ? sum / total : 1;
  }
};

// The score at which the largest reach a share of their sum.
const threshold = (scores, share) => {
  const sorted = scores.slice().sort();
  let total = 0;
  for (let at = sorted.length - 1; at >= 0; at -= 1) total += sorted[at];
  let sum = 0;
  for (let at = sorted.length - 1; at >= 0; at -= 1) {
    sum += sorted[at];
    if (sum >= share * total) return sorted[at];
  }
  return sorted[0] ?? 0;
};

// The part that the thresholds keep, in steps of a few milliseconds each.
function* pruning(graph, nodeShare, edgeShare) {
  const { flat } = graph;
  const kept = keptNodes(graph, nodeShare);
  const { influence, sizes } = influences(flat, kept);
  const scores = new Float64Array(flat.to.length);
  for (let at = 0; at < scores.length; at += 1) {
    const target = flat.to[at];
    if (kept[target] && kept[flat.from[at]]) scores[at] = (flat.weight[target] + influence[target]) * flat.size[at] / sizes[target];
  }
  yield;
  const least = edgeShare >= 1 ? 0 : threshold(scores, edgeShare);
  yield;
  const isShown = new Uint8Array(scores.length);
  for (let at = 0; at < scores.length; at += 1) isShown[at] = Number(scores[at] >= least && scores[at] > 0);
  while (dropDeadEnds(flat, kept, isShown));
  const nodes = new Set(graph.nodes.filter((node) => kept[node.index]));
  const links = graph.links.filter((_, at) => isShown[at]);
  let [most, largest] = [0, 0];
  for (let node = 0; node < kept.length; node += 1) if (kept[node] && !flat.isEnd[node]) most = Math.max(most, influence[node]);
  for (const link of links) largest = Math.max(largest, flat.size[link.index]);
  return { nodes, links, isShown, influence, most, largest: largest || 1 };
}

const keptNodes = (graph, nodeShare) => {
  let last = Infinity;
  for (const { influence } of graph.nodes) if (influence !== null && influence >= nodeShare - 1e-12 && influence < last) last = influence;
  return Uint8Array.from(graph.nodes, (node) => Number(graph.flat.isEnd[node.index] || (node.influence ?? 0) <= last));
};

// Takes out features and errors that lead nowhere, features that nothing leads to, and their links; false when there are none.
const dropDeadEnds = ({ from, to, isEnd, isError }, kept, isShown) => {
  const [leads, isLedTo] = [new Uint8Array(kept.length), new Uint8Array(kept.length)];
  for (let at = 0; at < to.length; at += 1) if (isShown[at]) leads[from[at]] = isLedTo[to[at]] = 1;
  let dropped = false;
  for (let node = 0; node < kept.length; node += 1) {
    if (!kept[node] || isEnd[node] || (leads[node] && (isLedTo[node] || isError[node]))) continue;
    kept[node] = 0;
    dropped = true;
  }
  for (let at = 0; dropped && at < to.length; at += 1) isShown[at] &= kept[from[at]] & kept[to[at]];
  return dropped;
};
