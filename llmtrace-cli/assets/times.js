// Keeps "5m ago" right while the page stands open, and says moments in the reader's time zone.
const ago = (seconds) => {
  if (seconds < 2) return "now";
  if (seconds < 60) return `${Math.floor(seconds)}s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ago`;
  return `${Math.floor(seconds / 86400)}d ago`;
};
const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

const refresh = (root) => {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    if (!time.dataset.zoned) {
      time.dataset.zoned = "yes";
      time.title = `${zone.format(at)}\n${time.title}`;
    }
    const seconds = (Date.now() - at.getTime()) / 1000;
    if ("ago" in time.dataset && seconds >= 0 && seconds < 30 * 86400) time.textContent = ago(seconds);
  }
};

refresh(document);
setInterval(() => { if (!document.hidden) refresh(document); }, 15000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(document); });
document.addEventListener("llmtrace:swapped", ({ detail }) => refresh(detail.element));
