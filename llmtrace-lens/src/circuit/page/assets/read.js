// Reads a graph as Neuronpedia's and Anthropic's viewers have it ("Anthropic Attribution Graph"), from anywhere:
// each fault gets a sentence that says what is wrong and what would be right.
const MOST_NODES = 20_000;
const MOST_LINKS = 600_000;
const MOST_TOKENS = 4_096;
const LONGEST_TEXT = 300;

class Fault extends Error {}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value) => (typeof value === "string" ? cut(value, LONGEST_TEXT) : "");
const finite = (value) => (typeof value === "number" && Number.isFinite(value) ? value : null);
const list = (value) => (Array.isArray(value) ? value : []);

const kindOf = (node) => {
  const type = text(node.feature_type).toLowerCase();
  if (type.includes("embedding")) return "token";
  if (type.includes("error")) return "error";
  if (type.includes("logit")) return "answer";
  return "feature";
};

const parse = (source) => {
  let file;
  try { file = JSON.parse(source); } catch (error) {
    throw new Fault(`This is not JSON (${cut(error.message, 120)}). A graph's file is what “llmtrace lens graph” or circuit-tracer writes.`);
  }
  return readGraph(file);
};

const readGraph = (file) => {
  if (!isObject(file)) throw new Fault("The file holds no object with “metadata”, “nodes” and “links”.");
  const missing = ["metadata", "nodes", "links"].filter((name) => !(name in file));
  if (missing.length) throw new Fault(`The file has no “${missing.join("”, “")}”. A graph has “metadata”, “nodes” and “links”.`);
  const { metadata, nodes, links } = file;
  if (!isObject(metadata)) throw new Fault("“metadata” is to be an object with “prompt_tokens”.");
  if (!Array.isArray(metadata.prompt_tokens)) throw new Fault("“metadata.prompt_tokens” is to be the list of the prompt's tokens.");
  if (!Array.isArray(nodes) || !Array.isArray(links)) throw new Fault("“nodes” and “links” are to be lists.");
  if (nodes.length === 0) throw new Fault("The graph has no nodes.");
  const bounds = [[nodes, MOST_NODES, "nodes"], [links, MOST_LINKS, "links"], [metadata.prompt_tokens, MOST_TOKENS, "tokens"]];
  for (const [held, most, name] of bounds) {
    if (held.length > most) throw new Fault(`The graph has ${held.length} ${name}; this page shows ${most} at most. Prune it more.`);
  }
  const graph = { file, warnings: [], tokens: metadata.prompt_tokens.map(text), ...readNodes(nodes, metadata) };
  if (!graph.nodes.some((node) => node.kind === "answer")) throw new Fault("No node has the feature_type “logit”, so there is no answer to explain.");
  readLinks(graph, links);
  graph.about = about(metadata);
  return graph;
};

const readNodes = (given, metadata) => {
  const byId = new Map();
  const details = isObject(metadata.features) ? metadata.features : {};
  const tokens = metadata.prompt_tokens;
  const nodes = [];
  for (const [index, node] of given.entries()) {
    if (!isObject(node) || typeof node.node_id !== "string") throw new Fault(`Node ${index} has no “node_id”.`);
    const kind = kindOf(node);
    const layer = kind === "token" ? -1 : Number(node.layer);
    const position = node.ctx_idx;
    if (!Number.isInteger(position) || position < 0 || position >= Math.max(tokens.length, 1)) {
      throw new Fault(`“ctx_idx” of the node ${cut(node.node_id, 40)} is no position of the prompt, which has ${tokens.length} tokens.`);
    }
    if (!Number.isFinite(layer)) throw new Fault(`“layer” of the node ${cut(node.node_id, 40)} is no number, and “E” is for tokens alone.`);
    const kindId = text(node.jsNodeId);
    const made = {
      index, id: text(node.node_id), kind, layer, position, kindId, label: text(node.clerp).trim(),
      influence: finite(node.influence), activation: finite(node.activation), inputSize: finite(node.input_size), probability: finite(node.token_prob),
      details: Object.hasOwn(details, kindId) && isObject(details[kindId]) ? details[kindId] : null,
    };
    made.name = nameOf(made, tokens);
    made.ins = [];
    made.outs = [];
    nodes.push(made);
    if (!byId.has(made.id)) byId.set(made.id, made);
  }
  return { nodes, byId };
};

// What a node is called where there is room for a few words.
const nameOf = (node, tokens) => {
  const numbers = /^(\d+)_(\d+)/.exec(node.kindId || node.id);
  node.number = node.kind === "feature" && numbers ? numbers[2] : null;
  if (node.kind === "token") return visible(text(tokens[node.position]));
  if (node.kind === "error") return `not explained, layer ${node.layer}`;
  if (node.kind === "answer") {
    const said = /^Output "(.*)"(?: \(p=.*\))?$/s.exec(node.label);
    return visible(said ? said[1].replace(/\\(["\\])/g, "$1").replaceAll("\\n", "\n") : node.label || node.id);
  }
  return visible(node.label || text(node.details?.label)) === "∅"
    ? node.number === null ? node.id : `L${node.layer} F${node.number}`
    : visible(node.label || text(node.details?.label));
};

const readLinks = (graph, given) => {
  let strangers = 0;
  const made = [];
  for (const [index, link] of given.entries()) {
    if (!isObject(link) || finite(link.weight) === null) throw new Fault(`Link ${index} has no “weight” that is a number.`);
    const [source, target] = [graph.byId.get(link.source), graph.byId.get(link.target)];
    if (!source || !target || source === target) strangers += 1;
    else if (link.weight !== 0) made.push({ source, target, weight: link.weight });
  }
  const [links, circular] = upwards(graph.nodes, made);
  graph.links = links;
  for (const link of links) {
    link.source.outs.push(link);
    link.target.ins.push(link);
  }
  const twice = graph.nodes.length - graph.byId.size;
  if (twice) graph.warnings.push(`${count(twice, "node")} have the id of another; links are taken to be those of the first.`);
  if (strangers) graph.warnings.push(`${count(strangers, "link")} lead from or to a node that the file does not have, and are left out.`);
  if (circular) graph.warnings.push(`${count(circular, "link")} lead in a circle, and are left out.`);
};

// Numbers the nodes so that each comes after all that adds to it; links that close a circle are taken out.
const upwards = (nodes, links) => {
  const open = new Map(nodes.map((node) => [node, 0]));
  const next = new Map(nodes.map((node) => [node, []]));
  for (const link of links) {
    open.set(link.target, open.get(link.target) + 1);
    next.get(link.source).push(link.target);
  }
  const ready = nodes.filter((node) => open.get(node) === 0);
  for (let at = 0; at < ready.length; at += 1) {
    ready[at].order = at;
    for (const target of next.get(ready[at])) {
      open.set(target, open.get(target) - 1);
      if (open.get(target) === 0) ready.push(target);
    }
  }
  const circular = (node) => node.order === undefined;
  const kept = links.filter((link) => !circular(link.source) && !circular(link.target));
  for (const node of nodes.filter(circular)) node.order = nodes.length + node.layer;
  return [kept, links.length - kept.length];
};

const about = (metadata) => {
  const info = isObject(metadata.info) ? metadata.info : {};
  const pruning = isObject(metadata.pruning_settings) ? metadata.pruning_settings : {};
  const share = (value) => { const held = finite(value); return held !== null && held > 0 && held <= 1 ? held : null; };
  return {
    slug: text(metadata.slug) || "graph", model: visible(text(metadata.scan) || "unknown"), prompt: typeof metadata.prompt === "string" ? cut(metadata.prompt, 2_000) : "",
    transcoders: text(info.transcoders) && visible(text(info.transcoders)), active: finite(info.active_features),
    replacement: share(info.replacement_score) ?? finite(info.replacement_score), completeness: share(info.completeness_score) ?? finite(info.completeness_score),
    nodeShare: share(pruning.node_threshold) ?? share(metadata.node_threshold) ?? 1, edgeShare: share(pruning.edge_threshold) ?? 1,
  };
};
