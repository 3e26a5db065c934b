// Loads a part of a page and puts it in the place of the old one.
//
// Others ask for it by the event "llmtrace:load" with {url, part, done}; the element with data-part=<part> is replaced.
// "llmtrace:swapped" with {part, element} follows. A newer request for the same part cancels the older one; where the
// part cannot be loaded, the browser goes to the page itself.
const running = new Map();

document.addEventListener("llmtrace:load", async ({ detail: { url, part, done } }) => {
  running.get(part)?.abort();
  const abort = new AbortController();
  running.set(part, abort);
  const old = document.querySelector(`[data-part="${part}"]`);
  old?.setAttribute("aria-busy", "true");
  try {
    const address = new URL(url, location.href);
    address.searchParams.set("part", part);
    const answer = await fetch(address, { signal: abort.signal, headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    const element = holder.content.querySelector(`[data-part="${part}"]`);
    if (!element || !old?.isConnected) throw new Error("no such part");
    old.replaceWith(element);
    document.dispatchEvent(new CustomEvent("llmtrace:swapped", { detail: { part, element } }));
    done?.(element);
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
  } finally {
    if (running.get(part) === abort) running.delete(part);
  }
});
