// Copies what a button names, and says that it was done. The buttons show only where a script can copy.
(() => {
  if (!navigator.clipboard) return;
  document.documentElement.dataset.copies = "yes";
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    await navigator.clipboard.writeText(source ? source.textContent.trim() : button.dataset.copy);
    button.dataset.done = "yes";
    setTimeout(() => delete button.dataset.done, 2000);
  });
})();
