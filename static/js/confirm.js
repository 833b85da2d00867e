// A form that cannot be undone is sent only when the name was typed: until then its button is off. The server asks too.
(() => {
  for (const form of document.querySelectorAll("form[data-confirm]")) {
    const typed = form.querySelector("input[type=text], input:not([type])");
    const button = form.querySelector("button[type=submit]");
    if (!typed || !button || button.closest("fieldset[disabled]")) continue;
    const look = () => { button.disabled = typed.value.trim() !== form.dataset.confirm.trim(); };
    typed.addEventListener("input", look);
    look();
  }
})();
