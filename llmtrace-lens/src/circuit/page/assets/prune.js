// Which part of the graph carries most of its influence: circuit-tracer's rules, as the program has them, on the links of the file.

const weightsOf = (nodes) => {
  const answers = nodes.filter((node) => node.kind === "answer");
  const known = answers.some((node) => node.probability > 0);
  return new Map(answers.map((node) => [node, known ? Math.max(0, node.probability ?? 0) : 1]));
};

// How much each node matters to the answers: links by size, each node's inputs made to sum to 1, followed down all paths.
const influences = (graph, isKept) => {
  const weights = weightsOf(graph.nodes);
  const influence = new Float64Array(graph.nodes.length);
  const sizes = new Float64Array(graph.nodes.length);
  for (const target of graph.inOrder) {
    if (!isKept(target)) continue;
    let size = 0;
    for (const link of target.ins) if (isKept(link.source)) size += Math.abs(link.weight);
    sizes[target.index] = Math.max(size, 1e-10);
    const weight = (weights.get(target) ?? 0) + influence[target.index];
    if (weight === 0) continue;
    for (const link of target.ins) {
      if (isKept(link.source)) influence[link.source.index] += weight * Math.abs(link.weight) / sizes[target.index];
    }
  }
  return { influence, sizes, weights };
};

// Nodes that matter less come later in the order of these numbers: which share of all influence they and those above them have.
const rankNodes = (graph) => {
  graph.inOrder = [...graph.nodes].sort((a, b) => b.order - a.order);
  if (graph.nodes.some((node) => node.influence !== null)) return;
  const { influence } = influences(graph, () => true);
  const total = influence.reduce((sum, value) => sum + value, 0);
  let sum = 0;
  for (const node of [...graph.nodes].sort((a, b) => influence[b.index] - influence[a.index])) {
    sum += influence[node.index];
    node.influence = total > 0 ? sum / total : 1;
  }
};

// The score at which the largest reach a share of their sum.
const threshold = (scores, share) => {
  const sorted = Float64Array.from(scores).sort().reverse();
  let total = 0;
  for (const score of sorted) total += score;
  let sum = 0;
  for (const score of sorted) {
    sum += score;
    if (sum >= share * total) return score;
  }
  return sorted.at(-1) ?? 0;
};

const prune = (graph, nodeShare, edgeShare) => {
  let last = Infinity;
  for (const { influence } of graph.nodes) if (influence !== null && influence >= nodeShare - 1e-12 && influence < last) last = influence;
  const always = (node) => node.kind === "token" || node.kind === "answer";
  const nodes = new Set(graph.nodes.filter((node) => always(node) || (node.influence ?? 0) <= last));
  const { influence, sizes, weights } = influences(graph, (node) => nodes.has(node));
  let links = graph.links.filter((link) => nodes.has(link.source) && nodes.has(link.target));
  const scores = new Float64Array(links.length);
  for (const [index, { target, weight }] of links.entries()) {
    scores[index] = ((weights.get(target) ?? 0) + influence[target.index]) * Math.abs(weight) / sizes[target.index];
  }
  const least = edgeShare >= 1 ? 0 : threshold(scores, edgeShare);
  links = links.filter((_, index) => scores[index] >= least && scores[index] > 0);
  for (let before = -1; before !== nodes.size;) {
    before = nodes.size;
    const [from, to] = [new Set(links.map((link) => link.source)), new Set(links.map((link) => link.target))];
    for (const node of nodes) {
      if (!always(node) && !(from.has(node) && (node.kind === "error" || to.has(node)))) nodes.delete(node);
    }
    if (nodes.size !== before) links = links.filter((link) => nodes.has(link.source) && nodes.has(link.target));
  }
  const most = (values) => values.reduce((most, value) => Math.max(most, value), 0);
  const inner = [...nodes].filter((node) => !always(node)).map((node) => influence[node.index]);
  return { nodes, links, influence, sizes, weights, most: most(inner), largest: most(links.map(({ weight }) => Math.abs(weight))) || 1 };
};

// The ways with the largest shares of all influence from a token, or from what is not explained, to an answer.
const PATHS_TRIED = 20_000;
const strongestPaths = (shown, sizes, most) => {
  const { weights } = shown;
  const ins = group(shown.links, (link) => link.target);
  let all = 0;
  for (const weight of weights.values()) all += weight;
  const heap = new Heap((partial) => partial.share);
  for (const [node, weight] of weights) if (shown.nodes.has(node)) heap.push({ share: weight / (all || 1), supports: true, nodes: [node] });
  const found = [];
  for (let tried = 0; tried < PATHS_TRIED && found.length < most && heap.size; tried += 1) {
    const { share, supports, nodes } = heap.pop();
    const here = nodes[0];
    const links = ins.get(here);
    if (!links) {
      if (here.kind === "token" || here.kind === "error") found.push({ share, supports, nodes });
      continue;
    }
    for (const { source, weight } of links) {
      heap.push({ share: share * Math.abs(weight) / sizes[here.index], supports: supports === weight > 0, nodes: [source, ...nodes] });
    }
  }
  return found;
};

// A binary heap: the largest comes first.
class Heap {
  #held = [];
  #key;
  constructor(key) { this.#key = key; }
  get size() { return this.#held.length; }
  push(item) {
    const held = this.#held;
    let at = held.push(item) - 1;
    while (at > 0 && this.#key(held[(at - 1) >> 1]) < this.#key(held[at])) {
      const up = (at - 1) >> 1;
      [held[up], held[at]] = [held[at], held[up]];
      at = up;
    }
  }
  pop() {
    const held = this.#held;
    const top = held[0];
    const last = held.pop();
    if (held.length) {
      held[0] = last;
      for (let at = 0; ;) {
        let most = at;
        for (const below of [2 * at + 1, 2 * at + 2]) if (below < held.length && this.#key(held[below]) > this.#key(held[most])) most = below;
        if (most === at) break;
        [held[most], held[at]] = [held[at], held[most]];
        at = most;
      }
    }
    return top;
  }
}
