// Elements of the page. Words of the data only ever become text, never markup.
const SVG = document.createRange().createContextualFragment("<svg></svg>").firstChild.namespaceURI;

// Classes have a prefix of their own, so that no rule of the page around means them.
const classes = (names) => names.split(" ").map((name) => `c-${name}`).join(" ");

const fill = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") { if (value) element.setAttribute(name, classes(value)); }
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const button = (text, onclick, more = {}) => el("button", { type: "button", onclick, ...more }, text);

// A bar whose length is a share; style attributes are forbidden by the page's policy, the style object is not.
const bar = (share, name) => {
  const inner = el("i", { class: name });
  inner.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return el("span", { class: "bar", "aria-hidden": "true" }, inner);
};

// A token as people can read it: what shows nothing, or turns the order of letters around, gets a sign.
const visible = (text) => {
  if (text === "") return "∅";
  return text
    .replace(/^[ ]+|[ ]+$|[ ]{2,}/g, (spaces) => "␣".repeat(spaces.length))
    .replaceAll("\n", "↵").replaceAll("\t", "⇥").replaceAll("\r", "␍")
    .replace(/[\p{Cc}\p{DI}\p{Bidi_C}\p{Zl}\p{Zp}\u00a0\u2000-\u200a\u202f\u205f\u3000]/gu,
      (char) => `‹U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
};

const cut = (text, length) => {
  const letters = [...text.slice(0, 2 * length + 2)];
  return letters.length > length ? `${letters.slice(0, length - 1).join("")}…` : text;
};

const percent = (share) => {
  const hundreds = share * 100;
  if (!Number.isFinite(hundreds)) return "–";
  if (hundreds === 0) return "0%";
  if (hundreds < 0.1) return "<0.1%";
  if (hundreds > 99 && hundreds < 100) return `${(Math.floor(hundreds * 10) / 10).toFixed(1)}%`;
  return `${hundreds.toFixed(hundreds < 9.95 ? 1 : 0).replace(/\.0$/, "")}%`;
};

const number = (value) => {
  const size = Math.abs(value);
  const text = size === 0 ? "0" : size < 0.001 || size >= 1e6 ? size.toExponential(1) : String(Number(size.toPrecision(3)));
  return value < 0 ? `−${text}` : text;
};
const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));
const count = (value, one, many = `${one}s`) => `${value.toLocaleString("en-US")} ${value === 1 ? one : many}`;

const group = (items, keyOf) => {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (groups.has(key)) groups.get(key).push(item);
    else groups.set(key, [item]);
  }
  return groups;
};

// Does the work of a generator bit by bit, so that no frame waits for it; answers with what ends it before that.
const PART_MS = 3;
const inSlices = (work, done) => {
  let asked = 0;
  const go = () => {
    const until = performance.now() + PART_MS;
    for (;;) {
      const step = work.next();
      if (step.done) return done(step.value);
      if (performance.now() >= until) break;
    }
    asked = requestAnimationFrame(go);
  };
  go();
  return () => cancelAnimationFrame(asked);
};
