// The page of a trace: a row or a tab loads only the pane; branches fold; what is folded is kept while the page lives.
const folded = new Set();

const rowsOf = (table) => [...table.querySelectorAll("tbody tr[data-span]")];
const depthOf = (row) => Number(row.getAttribute("aria-level"));

// Hides the rows below folded ones.
const apply = (table) => {
  let hiddenBelow = Infinity;
  for (const row of rowsOf(table)) {
    const depth = depthOf(row);
    if (depth <= hiddenBelow) hiddenBelow = Infinity;
    row.hidden = hiddenBelow !== Infinity;
    if (!row.hasAttribute("aria-expanded")) continue;
    const closed = folded.has(row.dataset.span);
    row.setAttribute("aria-expanded", String(!closed));
    row.querySelector(".folded").hidden = !closed;
    if (closed && !row.hidden) hiddenBelow = depth;
  }
};

const setUp = (root) => {
  for (const button of root.querySelectorAll("[data-fold], [data-fold-all]")) button.hidden = false;
  const table = root.querySelector(".waterfall") ?? root.closest?.(".waterfall");
  if (table) apply(table);
};

const parentOf = (row) => {
  let at = row.previousElementSibling;
  while (at && depthOf(at) >= depthOf(row)) at = at.previousElementSibling;
  return at;
};

const fold = (row, closed) => {
  if (closed) folded.add(row.dataset.span); else folded.delete(row.dataset.span);
  apply(row.closest("table"));
};

// Shows a span in the pane without leaving the page; `keep` adds to the browser's history.
const show = (url, keep) => {
  const address = new URL(url, location.href);
  if (keep && address.href !== location.href) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  document.dispatchEvent(new CustomEvent("llmtrace:load", { detail: { url: address.href, part: "pane" } }));
};

const select = (row) => {
  for (const old of document.querySelectorAll(".waterfall [aria-selected]")) old.removeAttribute("aria-selected");
  row?.setAttribute("aria-selected", "true");
};

// Links of rows hold the state at loading; the tab that is open now stays open.
const withTab = (href) => {
  const address = new URL(href, location.href);
  const tab = new URL(location.href).searchParams.get("tab");
  if (tab) address.searchParams.set("tab", tab);
  return address.href;
};

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  const all = event.target.closest("[data-fold-all]");
  if (all) {
    const table = all.closest("table");
    const open = rowsOf(table).filter((row) => row.hasAttribute("aria-expanded") && depthOf(row) > 1);
    const closing = open.some((row) => !folded.has(row.dataset.span));
    for (const row of open) if (closing) folded.add(row.dataset.span); else folded.delete(row.dataset.span);
    apply(table);
    return;
  }
  const row = event.target.closest(".waterfall tbody tr");
  if (row && event.target.closest("[data-fold]")) {
    fold(row, !folded.has(row.dataset.span));
    return;
  }
  if (row) {
    const link = row.querySelector("a[data-part-link]");
    event.preventDefault();
    select(row);
    link.focus({ preventScroll: true });
    show(withTab(link.href), true);
    return;
  }
  const link = event.target.closest("a[data-part-link]");
  if (link) {
    event.preventDefault();
    show(link.href, false);
  }
});

// Moving by keys shows the span after a moment's rest, so that running through many rows loads only the last.
let resting = 0;
document.addEventListener("llmtrace:row", ({ target }) => {
  const link = target.querySelector?.("a[data-part-link]");
  if (!link || !target.closest(".waterfall")) return;
  select(target);
  clearTimeout(resting);
  resting = setTimeout(() => show(withTab(link.href), false), 90);
});

document.addEventListener("llmtrace:fold", ({ target, detail: { action } }) => {
  const row = target.closest(".waterfall tr");
  if (!row) return;
  const expanded = row.getAttribute("aria-expanded");
  const to = (other) => {
    if (!other) return;
    other.querySelector("a").focus({ preventScroll: true });
    other.scrollIntoView({ block: "nearest" });
    other.dispatchEvent(new CustomEvent("llmtrace:row", { bubbles: true }));
  };
  if (action === "open" && expanded === "false") fold(row, false);
  else if (action === "open" && expanded === "true") to(row.nextElementSibling);
  else if (action === "close" && expanded === "true") fold(row, true);
  else if (action === "close") to(parentOf(row));
});

addEventListener("popstate", () => {
  if (!document.querySelector(".waterfall")) return;
  const span = new URL(location.href).searchParams.get("span");
  const row = span && document.querySelector(`tr[data-span="${CSS.escape(span)}"]`);
  select(row || null);
  document.dispatchEvent(new CustomEvent("llmtrace:load", { detail: { url: location.href, part: "pane" } }));
});

// A link to a message opens it.
const openTarget = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (!(target instanceof HTMLDetailsElement)) return;
  target.open = true;
  target.scrollIntoView({ block: "start" });
};
addEventListener("hashchange", openTarget);

setUp(document);
openTarget();
document.querySelector(".waterfall [aria-selected]")?.scrollIntoView({ block: "nearest" });
document.addEventListener("llmtrace:swapped", ({ detail }) => setUp(detail.element));
