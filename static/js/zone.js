// Offers the time zone that the browser knows, where the list has it.
(() => {
  const hint = document.querySelector("[data-zone-hint]");
  const list = document.querySelector("select[name=time_zone]");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!hint || ![...list.options].some((option) => option.value === here) || list.value === here) return;
  const button = hint.querySelector("button");
  button.textContent = button.dataset.words.replace("%s", here.replaceAll("_", " "));
  button.addEventListener("click", () => {
    list.value = here;
    hint.hidden = true;
  });
  hint.hidden = false;
})();
