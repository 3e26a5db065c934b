// The ways with the largest shares of all influence from a token, or from what is not explained, to an answer: part by part, so that
// a large graph leaves the reader time in between.
const WAYS_LISTED = 12;
const PARTS_TRIED = 120_000;
const TRIED_AT_ONCE = 500;

function* strongestWays(graph, shown) {
  const { weights, whole } = graph;
  const inputs = new Map();
  const inputsOf = (node) => {
    if (!inputs.has(node)) inputs.set(node, node.ins.filter((link) => shown.isShown[link.index]).sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)));
    return inputs.get(node);
  };
  let all = 0;
  for (const weight of weights.values()) all += weight;
  const heap = new Heap((part) => part.share);
  const enter = (after, at, base, supports) => {
    const link = inputsOf(after.node)[at];
    if (link) heap.push({ node: link.source, after, at, base, share: base * Math.abs(link.weight) / whole.sizes[after.node.index], supports: supports === link.weight > 0 });
  };
  for (const [node, weight] of weights) if (shown.nodes.has(node)) heap.push({ node, after: null, share: weight / (all || 1), supports: true });
  const found = [];
  for (let tried = 1; tried <= PARTS_TRIED && found.length < WAYS_LISTED && heap.size; tried += 1) {
    const part = heap.pop();
    // Of the inputs of a node the next one is looked at when the one before it has come to be the best.
    if (part.after) enter(part.after, part.at + 1, part.base, part.after.supports);
    if (inputsOf(part.node).length) enter(part, 0, part.share, part.supports);
    else if (part.node.kind === "token" || part.node.kind === "error") found.push({ nodes: nodesOf(part), share: part.share, supports: part.supports });
    if (tried % TRIED_AT_ONCE === 0) yield;
  }
  return found;
}

const nodesOf = (part) => {
  const nodes = [];
  for (let at = part; at; at = at.after) nodes.push(at.node);
  return nodes;
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
