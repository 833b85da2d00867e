// Shows the copy buttons where a script can copy, and says that it was done.
(() => {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy], [data-copy-from]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
      await navigator.clipboard.writeText(source ? source.textContent.trim() : button.dataset.copy);
      button.dataset.done = "yes";
      setTimeout(() => delete button.dataset.done, 2000);
    });
  }
})();
