// What a place of a chart says, at once and where the pointer is. Without this the browser shows the title after a while.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");
document.body.append(tip);

let shown = null;

function show(place, x, y) {
  if (shown !== place) {
    hide();
    const title = place.querySelector("title");
    if (!title) return;
    shown = place;
    tip.textContent = title.textContent;
    // Two tips at once would be one too many.
    place.dataset.says = title.textContent;
    title.textContent = "";
    tip.hidden = false;
  }
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 14 + width > innerWidth ? Math.max(4, x - 14 - width) : x + 14;
  const top = Math.min(Math.max(4, y - height / 2), innerHeight - height - 4);
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
}

function hide() {
  if (!shown) return;
  const title = shown.querySelector("title");
  if (title) title.textContent = shown.dataset.says;
  delete shown.dataset.says;
  shown = null;
  tip.hidden = true;
}

document.addEventListener("pointermove", (event) => {
  const place = event.target.closest?.(".place");
  if (place) show(place, event.clientX, event.clientY);
  else hide();
});
document.addEventListener("pointerleave", hide);
document.addEventListener("scroll", hide, { passive: true });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

// A first touch shows what a place says; a second one follows its link.
let touched = null;
document.addEventListener("click", (event) => {
  const place = event.target.closest?.(".place");
  if (!place || event.pointerType !== "touch") return;
  if (touched !== place) {
    event.preventDefault();
    show(place, event.clientX, event.clientY);
  }
  touched = place;
});
