// What is known of one node, what feeds it and where it goes.
const FIRST_LINKS = 10;
const MOST_LISTED = 200;
const MOST_WORDS = 12;
const MOST_CONTEXTS = 6;
const MOST_CONTEXT_TOKENS = 40;
const FAINT = 0.1;

const KINDS = { feature: "feature", error: "not explained", token: "token of the prompt", answer: "possible next token" };

const place = (graph, node) => {
  const at = visible(graph.tokens[node.position] ?? "");
  if (node.kind === "token") return `token ${node.position + 1} of the prompt`;
  if (node.kind === "answer") return node.probability ? `possible next token, ${percent(node.probability)}` : "what is explained";
  if (node.kind === "error") return `what the features of layer ${node.layer} miss at “${at}”`;
  const name = node.number === null ? "feature" : `feature ${node.number}`;
  return `${name} of layer ${node.layer}, at “${at}”`;
};

const nodeCard = (page, node) => {
  const { graph, shown } = page;
  const words = [
    el("p", { class: "kind" }, KINDS[node.kind]),
    el("h2", {}, el("bdi", {}, node.name)),
    el("p", {}, `${upper(place(graph, node))}.`,
      node.activation === null ? null : ` It is active with ${number(node.activation)}.`,
      shown.nodes.has(node) ? null : " It is below the thresholds, and so not in the picture."),
    el("p", { class: "buttons" }, pinButton(page, node),
      button("Back to all", () => page.choose(null))),
  ];
  return [...words, ...details(node.details), linkList(page, node, "ins"), linkList(page, node, "outs")];
};

const pinButton = (page, node) => {
  page.pinButton = button("", () => page.togglePin(node), { title: "Pin it into the small graph below (key p)" });
  markPin(page, node);
  return page.pinButton;
};

const markPin = ({ state, pinButton }, node) => {
  const isPinned = state.pinned.has(node);
  pinButton.textContent = isPinned ? "Unpin" : "Pin";
  pinButton.setAttribute("aria-pressed", String(isPinned));
};

const upper = (words) => words.charAt(0).toUpperCase() + words.slice(1);

// What the file says of a feature beyond this prompt.
const details = (given) => {
  if (!given) return [];
  const words = (name, title) => {
    const held = list(given[name]).map((word) => (isObject(word) ? text(word.token) : text(word))).filter((word) => word !== "").slice(0, MOST_WORDS);
    return held.length ? el("div", { class: "words" }, el("h3", {}, title), el("ul", {}, held.map((word) => el("li", {}, el("bdi", {}, visible(word)))))) : null;
  };
  const contexts = list(given.contexts).filter(isObject).slice(0, MOST_CONTEXTS).map(context).filter(Boolean);
  const density = finite(given.density);
  return [
    words("promoted", "Makes likelier"), words("suppressed", "Makes less likely"),
    contexts.length ? el("div", { class: "contexts" }, el("h3", {}, "Where it is most active"),
      el("p", { class: "muted" }, "Underlined is the token at which it is most active; the stronger the colour, the more active it is."), ...contexts) : null,
    density === null ? null : el("p", { class: "muted" }, `Active at ${percent(density)} of the tokens of the text that it was looked for in.`),
  ];
};

// A piece of text, each token coloured by how active the feature is there, and the token of the peak marked.
const context = (given) => {
  const tokens = list(given.tokens).map(text);
  const activations = tokens.map((_, at) => Math.max(0, finite(list(given.activations)[at]) ?? 0));
  let peak = 0;
  for (const [at, active] of activations.entries()) if (active > activations[peak]) peak = at;
  const most = activations[peak];
  if (!(most > 0)) return null;
  const from = Math.max(0, Math.min(peak - MOST_CONTEXT_TOKENS / 2, tokens.length - MOST_CONTEXT_TOKENS));
  // The space that a token begins with stands before it; tokens of whole words have none of their own.
  const areWords = !tokens.some((token) => /\s/.test(token));
  const words = tokens.slice(from, from + MOST_CONTEXT_TOKENS).flatMap((token, index) => {
    const active = activations[from + index];
    const share = active / most;
    const isPeak = from + index === peak;
    const isSpaced = /^ [^ ]/.test(token);
    const word = el(share > FAINT ? "mark" : "span", { class: isPeak ? "peak" : null, title: active ? `active with ${number(active)}` : null }, el("bdi", {}, visible(isSpaced ? token.slice(1) : token)));
    if (share > FAINT) word.style.setProperty("--much", `${Math.round(10 + 45 * share)}%`);
    return [isSpaced || areWords ? " " : null, word];
  });
  return el("p", {}, from > 0 && "… ", words, from + MOST_CONTEXT_TOKENS < tokens.length && " …", el("small", {}, ` peak ${number(most)}`));
};

const LINKS = {
  ins: ["What feeds it", "Shares are of all that adds to it or takes from it."],
  outs: ["Where it goes", "Shares are of all that adds to, or takes from, the node it goes to."],
};

const linkList = (page, node, side) => {
  const { shown, graph: { whole } } = page;
  const links = node[side].filter((link) => shown.nodes.has(link.source) && shown.nodes.has(link.target));
  if (side === "ins" && (node.kind === "token" || node.kind === "error")) {
    return el("p", { class: "muted" }, node.kind === "token" ? "Nothing feeds it: it is where the way to the answer starts." : "Its inputs are not known: this is where the explanation has a gap.");
  }
  if (!links.length) return el("p", { class: "muted" }, side === "ins" ? "Nothing in the picture feeds it." : "It leads to nothing in the picture.");
  const shareOf = (link) => Math.abs(link.weight) / (whole.sizes[link.target.index] || 1);
  links.sort((a, b) => shareOf(b) - shareOf(a));
  const [title, words] = LINKS[side];
  const rows = (from, to) => links.slice(from, to).map((link) => linkRow(page, link, side === "ins" ? link.source : link.target, shareOf(link)));
  const items = el("ol", { class: "links" }, rows(0, FIRST_LINKS));
  const rest = Math.min(links.length, MOST_LISTED) - FIRST_LINKS;
  const more = rest > 0 && button(`${rest} more`, () => { items.append(...rows(FIRST_LINKS, MOST_LISTED)); more.remove(); }, { class: "more" });
  return el("div", {}, el("h3", {}, title, " ", el("small", {}, links.length)), el("p", { class: "muted" }, words), items, more);
};

const linkRow = (page, link, other, share) => el("li", {},
  el("button", { type: "button", class: "node", onclick: () => page.choose(other, "reveal"), title: upper(place(page.graph, other)) },
    el("span", { class: `dot ${other.kind}`, "aria-hidden": "true" }),
    el("span", { class: "name" }, el("bdi", {}, other.name), other.kind === "feature" || other.kind === "error" ? el("small", {}, ` at ${visible(page.graph.tokens[other.position] ?? "")}`) : null),
    el("span", { class: "share" }, percent(share)),
    bar(share, link.weight > 0 ? "for" : "against"),
    el("span", { class: `weight ${link.weight > 0 ? "for" : "against"}` }, signed(link.weight))));

// The strongest ways from the prompt to the answers.
const wayList = (page, paths) => {
  if (!paths.length) return el("p", { class: "muted" }, "No way leads from the prompt to an answer in this picture. Keep more nodes or links.");
  return el("ol", { class: "paths" }, paths.map(({ nodes, share, supports }) => el("li", {},
    el("button", { type: "button", class: "path", onclick: () => page.pinAll(nodes), title: "Pin these nodes" },
      nodes.flatMap((node, at) => [at ? el("i", {}, "→") : null, el("span", { class: node.kind }, el("bdi", {}, cut(node.name, 24)))]),
      el("span", { class: "share" }, el("b", {}, percent(share)), " ", el("small", { class: supports ? "for" : "against" }, supports ? "for" : "against"))))));
};
