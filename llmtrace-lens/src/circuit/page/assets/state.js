// What the reader has made of the graph: chosen and pinned nodes, groups, thresholds. It stands in the address after #, so
// that a link or a bookmark leads back to it, and in the saved file as qParams.
const MOST_PINNED = 200;
const MOST_GROUPS = 60;

class State {
  constructor(graph) {
    this.graph = graph;
    this.chosen = null;
    this.pinned = new Set();
    this.groups = [];
    this.proposed = [];
    this.nodeShare = Math.min(0.8, graph.about.nodeShare);
    this.edgeShare = Math.min(0.98, graph.about.edgeShare);
    this.fromFile();
  }

  fromFile() {
    const query = isObject(this.graph.file.qParams) ? this.graph.file.qParams : {};
    for (const id of list(query.pinnedIds).slice(0, MOST_PINNED)) this.pin(this.graph.byId.get(id));
    for (const given of list(query.supernodes).slice(0, MOST_GROUPS)) {
      const [label, ...ids] = list(given);
      const nodes = this.known(ids);
      if (!nodes.length) continue;
      const made = { label: visible(text(label) || "group"), nodes };
      if (nodes.every((node) => this.pinned.has(node))) this.groups.push(made);
      else this.proposed.push(made);
    }
    this.chosen = this.graph.byId.get(query.clickedId) ?? null;
  }

  known(ids) {
    return [...new Set(list(ids).map((id) => this.graph.byId.get(id)).filter(Boolean))].slice(0, MOST_PINNED);
  }

  pin(node) { if (node && this.pinned.size < MOST_PINNED) this.pinned.add(node); }

  unpin(node) {
    this.pinned.delete(node);
    for (const made of this.groups) made.nodes = made.nodes.filter((other) => other !== node);
    this.groups = this.groups.filter((made) => made.nodes.length > 0);
  }

  // Pins nodes and puts them together; a node is in one group at most.
  group(label, nodes) {
    for (const made of this.groups) made.nodes = made.nodes.filter((node) => !nodes.includes(node));
    this.groups = this.groups.filter((made) => made.nodes.length > 0).slice(0, MOST_GROUPS - 1);
    nodes.forEach((node) => this.pin(node));
    this.groups.push({ label: cut(label, 60), nodes: nodes.filter((node) => this.pinned.has(node)) });
  }

  groupOf(node) { return this.groups.find((made) => made.nodes.includes(node)); }

  // As the address has it.
  hash() {
    const query = new URLSearchParams();
    query.set("nodes", String(this.nodeShare));
    query.set("edges", String(this.edgeShare));
    if (this.chosen) query.set("clicked", this.chosen.id);
    if (this.pinned.size) query.set("pinned", [...this.pinned].map((node) => node.id).join(","));
    if (this.groups.length) query.set("groups", JSON.stringify(this.groups.map(({ label, nodes }) => [label, ...nodes.map((node) => node.id)])));
    return `#${query}`;
  }

  fromHash(hash) {
    const query = new URLSearchParams(hash.replace(/^#/, ""));
    const share = (name, most, otherwise) => {
      const given = Number(query.get(name));
      return query.has(name) && given >= 0 && given <= 1 ? Math.min(given, most) : otherwise;
    };
    this.nodeShare = share("nodes", this.graph.about.nodeShare, this.nodeShare);
    this.edgeShare = share("edges", this.graph.about.edgeShare, this.edgeShare);
    if (query.has("clicked")) this.chosen = this.graph.byId.get(query.get("clicked")) ?? null;
    if (query.has("pinned")) this.pinned = new Set(this.known(query.get("pinned").split(",")));
    let groups = [];
    try { groups = list(JSON.parse(query.get("groups") ?? "[]")); } catch { /* an address that somebody cut */ }
    if (query.has("pinned")) this.groups = [];
    for (const [label, ...ids] of groups.map(list)) if (this.known(ids).length) this.group(visible(text(label) || "group"), this.known(ids));
  }

  // The file with what the reader made of it.
  toFile() {
    const supernodes = [...this.groups, ...this.proposed].map(({ label, nodes }) => [label, ...nodes.map((node) => node.id)]);
    const given = isObject(this.graph.file.qParams) ? this.graph.file.qParams : {};
    const pinnedIds = [...this.pinned].map((node) => node.id);
    return { ...this.graph.file, qParams: { ...given, pinnedIds, supernodes, clickedId: this.chosen?.id ?? "", linkType: given.linkType ?? "both" } };
  }
}
