// Word of new traces. The list takes them in where the reader is at its top; else a button says how many there are, and
// nothing moves. A trace that still runs is kept up to date.
const list = () => document.querySelector('[data-part="rows"][data-live]');
const head = () => document.querySelector('[data-part="head"][data-live]');

const load = async (part) => {
  const address = new URL(location.href);
  address.searchParams.set("part", part);
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  if (!answer.ok) return null;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  return holder.content.querySelector(`[data-part="${part}"]`);
};

const swapped = (part, element) =>
  document.dispatchEvent(new CustomEvent("llmtrace:swapped", { detail: { part, element } }));

const swap = (part, element) => {
  document.querySelector(`[data-part="${part}"]`)?.replaceWith(element);
  swapped(part, element);
};

const rowsIn = (element) => [...(element?.querySelectorAll("tbody > tr[id]") ?? [])];

// When the reader last moved the pointer over the list: rows do not move away under it.
let pointed = -Infinity;
document.addEventListener("pointermove", (event) => {
  if (event.target.closest?.('[data-part="rows"]')) pointed = performance.now();
}, { passive: true });
const REST = 3000;

// Whether new rows may come in: the top is in view, and the reader is at nothing below it.
const isAtTop = (old) => performance.now() - pointed > REST && old.getBoundingClientRect().top > -60 && !old.contains(document.activeElement)
  && !document.querySelector("details.menu[open]");

const hint = (old, count, take) => {
  let place = document.querySelector(".arrived");
  if (!place) {
    place = document.createElement("div");
    place.className = "arrived";
    place.append(document.createElement("button"));
    old.before(place);
  }
  const button = place.firstChild;
  button.type = "button";
  button.textContent = count === 1 ? "1 new trace" : `${count} new traces`;
  button.onclick = () => { take(); scrollTo({ top: 0 }); };
};

const takeIn = (fresh) => {
  document.querySelector(".arrived")?.remove();
  const known = new Set(rowsIn(list()).map((row) => row.id));
  swap("rows", fresh);
  for (const row of rowsIn(fresh)) if (known.size && !known.has(row.id)) row.classList.add("new");
};

const refreshList = async () => {
  const old = list();
  const fresh = old && await load("rows");
  if (!fresh || !old.isConnected) return;
  if ("first" in old.dataset) {
    if (rowsIn(fresh).length) location.reload();
    return;
  }
  const known = new Map(rowsIn(old).map((row) => [row.id, row]));
  const arrived = rowsIn(fresh).filter((row) => !known.has(row.id)).length;
  if (arrived === 0 || !known.size || isAtTop(old)) {
    const focused = document.activeElement?.closest?.("tr[id]")?.id;
    takeIn(fresh);
    if (focused) document.getElementById(focused)?.querySelector("a")?.focus({ preventScroll: true });
  } else {
    // What changed changes in its place.
    for (const row of rowsIn(fresh)) {
      const shown = known.get(row.id);
      if (shown && shown.dataset.change !== row.dataset.change && !shown.contains(document.activeElement)) {
        shown.replaceWith(row.cloneNode(true));
      }
    }
    hint(old, arrived, () => takeIn(fresh));
  }
  const chart = await load("histogram");
  if (chart) swap("histogram", chart);
};

const refreshTrace = async () => {
  const fresh = await load("head");
  if (fresh && head()) swap("head", fresh);
  const tree = await load("tree");
  const old = document.querySelector('[data-part="tree"]');
  if (!tree || !old) return;
  const { scrollTop } = old;
  const focused = document.activeElement?.closest?.("tr[id]")?.id;
  swap("tree", tree);
  tree.scrollTop = scrollTop;
  // The pane still shows its span, whichever the server would choose now.
  const shown = document.querySelector('[data-part="pane"]')?.dataset.span;
  for (const row of tree.querySelectorAll("tr[data-span]")) {
    if (row.dataset.span === shown) row.setAttribute("aria-selected", "true");
    else if (shown) row.removeAttribute("aria-selected");
  }
  if (focused) document.getElementById(focused)?.querySelector("a")?.focus({ preventScroll: true });
};

let busy = false;
let again = false;

const refresh = async () => {
  if (busy || document.hidden) { again = true; return; }
  busy = true;
  again = false;
  try {
    if (list()) await refreshList();
    else if (head()) await refreshTrace();
  } catch { /* the server is away; the next word starts anew */ } finally {
    busy = false;
    if (again && !document.hidden) setTimeout(refresh, 500);
  }
};

document.addEventListener("llmtrace:commit", refresh);
document.addEventListener("visibilitychange", () => { if (!document.hidden && again) refresh(); });

// A click anywhere in a row of the list opens it, as its link does.
document.addEventListener("click", (event) => {
  const row = event.target.closest(".traces tbody tr");
  if (!row || event.defaultPrevented || event.target.closest("a, button") || String(getSelection())) return;
  const link = row.querySelector("a.title");
  if (event.ctrlKey || event.metaKey) open(link.href, "_blank", "noopener"); else link.click();
});
