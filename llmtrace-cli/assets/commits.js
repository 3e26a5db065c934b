// Word of what was stored, while the page is looked at: the event "llmtrace:commit". A page that is out of sight does not
// listen, as a browser opens only six connections to a server, for all of its tabs together; when the page is seen again,
// it hears whether it missed something.
const wanted = () => document.querySelector("[data-part][data-live], [data-part][data-refresh]");

// The newest commit that the list shows.
const shown = () => Math.max(...[...document.querySelectorAll("[data-change]")].map((row) => Number(row.dataset.change)), 0);

let source = null;
let seen = null;

const listen = () => {
  if (source || document.hidden || !wanted()) return;
  source = new EventSource("/api/live");
  source.addEventListener("commit", ({ data }) => {
    const now = Number(data);
    const before = seen ?? (document.querySelector("[data-part][data-live]") ? shown() : now);
    seen = now;
    if (now !== before) document.dispatchEvent(new CustomEvent("llmtrace:commit"));
  });
};

const rest = () => { source?.close(); source = null; };

listen();
document.addEventListener("visibilitychange", () => { if (document.hidden) rest(); else listen(); });
addEventListener("pagehide", rest);
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
