// The keyboard: rows, search, navigation, help. Pages add to it by data attributes:
// data-row on what j and k move between (the link in it is opened by Enter), data-error on rows that failed,
// data-copy-id on what c copies, data-tab on the links that digits follow.
const GO = { t: "/traces", s: "/sessions", d: "/dashboard", c: "/compare", f: "/findings" };
let waitingForPage = 0;

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
const linkOf = (row) => (row.matches("a") ? row : row.querySelector("a"));
const current = () => document.activeElement?.closest("[data-row]")
  ?? document.querySelector("[data-row][aria-selected=true]");

const focus = (row) => {
  const link = row && linkOf(row);
  if (!link) return false;
  link.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  row.dispatchEvent(new CustomEvent("llmtrace:row", { bubbles: true }));
  return true;
};

const move = (step) => {
  const all = rows();
  const at = all.indexOf(current());
  return focus(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step]);
};

const toError = (step) => {
  const all = rows();
  const at = all.indexOf(current());
  const wanted = step > 0
    ? all.slice(at + 1).find((row) => "error" in row.dataset)
    : all.slice(0, Math.max(at, 0)).findLast((row) => "error" in row.dataset);
  return focus(wanted);
};

const fold = (action) => {
  const row = current();
  if (!row) return false;
  row.dispatchEvent(new CustomEvent("llmtrace:fold", { bubbles: true, detail: { action } }));
  return true;
};

const help = () => { const dialog = document.getElementById("help"); dialog?.showModal(); return Boolean(dialog); };

const press = (selector) => {
  const element = document.querySelector(selector);
  element?.click();
  return Boolean(element);
};

const KEYS = {
  j: () => move(1), ArrowDown: () => current() && move(1),
  k: () => move(-1), ArrowUp: () => current() && move(-1),
  l: () => fold("open"), ArrowRight: () => fold("open"),
  h: () => fold("close"), ArrowLeft: () => fold("close"),
  "]": () => toError(1), "[": () => toError(-1),
  "/": () => { const box = document.getElementById("search"); box?.focus(); box?.select(); return Boolean(box); },
  "?": help,
  c: () => press("[data-copy-id]"),
  g: () => { waitingForPage = Date.now(); return true; },
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("dialog[open]")) return;
  if (event.target.matches?.("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.target.closest?.("details.menu[open]")) return;
  const going = Date.now() - waitingForPage < 1200;
  waitingForPage = 0;
  if (going && Object.hasOwn(GO, event.key)) {
    event.preventDefault();
    location.assign(GO[event.key]);
    return;
  }
  const done = /^[1-9]$/.test(event.key)
    ? press(`[data-tab="${event.key}"]`)
    : Object.hasOwn(KEYS, event.key) && KEYS[event.key]();
  if (done) event.preventDefault();
});

for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", help);
}
