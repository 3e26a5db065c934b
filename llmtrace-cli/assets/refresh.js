// Keeps parts with data-refresh up to date: when something was stored, the part is loaded again, at most every few seconds,
// and never while the reader uses it.
const PAUSE = 5000;
const part = () => document.querySelector("[data-part][data-refresh]");

const isInUse = (element) => element.contains(document.activeElement)
  || Boolean(element.querySelector("details[open], .place:hover, .segments:hover"))
  || (String(getSelection()) !== "" && getSelection().containsNode(element, true));

let waiting = 0;
let stale = false;

const refresh = async () => {
  waiting = 0;
  const old = part();
  if (!old || document.hidden || isInUse(old)) { plan(); return; }
  stale = false;
  try {
    const address = new URL(location.href);
    address.searchParams.set("part", old.dataset.part);
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    const element = holder.content.querySelector(`[data-part="${old.dataset.part}"]`);
    if (!element || !old.isConnected || isInUse(old)) { plan(); return; }
    old.replaceWith(element);
    document.dispatchEvent(new CustomEvent("llmtrace:swapped", { detail: { part: old.dataset.part, element } }));
  } catch { /* the server is away; the next word starts anew */ }
};

const plan = () => {
  stale = true;
  if (!waiting) waiting = setTimeout(refresh, PAUSE);
};

document.addEventListener("llmtrace:commit", plan);
document.addEventListener("visibilitychange", () => { if (!document.hidden && stale) plan(); });
