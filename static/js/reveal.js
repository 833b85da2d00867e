// Shows and hides what is being typed into a password field; the field itself stays write-only.
(() => {
  const arm = (box) => {
    const input = box.querySelector("input[type=password]");
    if (!input || box.querySelector("[data-reveals]")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-plain";
    button.dataset.reveals = "";
    button.textContent = box.dataset.revealShow;
    button.setAttribute("aria-controls", input.id);
    button.addEventListener("click", () => {
      const isShown = input.type === "text";
      input.type = isShown ? "password" : "text";
      button.textContent = isShown ? box.dataset.revealShow : box.dataset.revealHide;
    });
    input.form.addEventListener("submit", () => { input.type = "password"; });
    box.append(button);
  };
  const armAll = () => document.querySelectorAll("[data-reveal]").forEach(arm);
  document.addEventListener("sugaradmin:replaced", armAll);
  armAll();
})();
