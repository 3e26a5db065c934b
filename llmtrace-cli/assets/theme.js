// Sets the theme that the reader chose, before anything is drawn. A classic script: modules run too late for that.
(() => {
  const KEY = "llmtrace.theme";
  const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  };
  apply(stored());
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const shown = document.documentElement.dataset.theme
          ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
        const theme = shown === "dark" ? "light" : "dark";
        try { localStorage.setItem(KEY, theme); } catch { /* it holds for this page then */ }
        apply(theme);
      });
    }
  });
})();
