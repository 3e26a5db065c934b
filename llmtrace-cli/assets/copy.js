// Copies a text: of the button itself (data-copy) or of another element (data-copy-from).
const show = (root) => { for (const button of root.querySelectorAll("button.copy")) button.hidden = false; };
const say = (text) => { const place = document.getElementById("announce"); if (place) place.textContent = text; };

const write = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context, as on a plain address of the network, the old way still works.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  event.preventDefault();
  const { copy, copyFrom } = button.dataset;
  await write(copy ?? document.getElementById(copyFrom)?.textContent ?? "");
  button.classList.add("done");
  say("Copied");
  setTimeout(() => { button.classList.remove("done"); say(""); }, 1200);
});

show(document);
document.addEventListener("llmtrace:swapped", ({ detail }) => show(detail.element));
