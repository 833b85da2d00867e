// Opens the actions of a row beside it: one menu for the whole page, told whose row it is. Without this script the link
// leads to the page of the connection, where the same actions are.
(() => {
  const menu = document.getElementById("row-menu");
  if (!menu || !menu.showPopover) return;
  let shownFor = null;
  let wasOpen = false; // a press outside closes it before the click comes

  const show = (link) => {
    const base = link.href.split("#")[0];
    for (const entry of menu.querySelectorAll("[data-path]")) entry.href = base + entry.dataset.path;
    menu.querySelector("[data-copy]").dataset.copy = base.split("/").at(-2);
    menu.setAttribute("aria-label", link.getAttribute("aria-label"));
    menu.showPopover();
    const here = link.getBoundingClientRect();
    const isRoom = here.bottom + menu.offsetHeight < window.innerHeight;
    menu.style.top = `${Math.max(0, isRoom ? here.bottom : here.top - menu.offsetHeight)}px`;
    menu.style.left = `${Math.max(0, here.right - menu.offsetWidth)}px`;
    shownFor = link;
    menu.querySelector("a, button").focus();
  };

  document.addEventListener("pointerdown", (event) => {
    wasOpen = menu.matches(":popover-open") && shownFor === event.target.closest("[data-menu]");
  }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-menu]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!wasOpen) show(link);
    wasOpen = false;
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const entries = [...menu.querySelectorAll("a, button")].filter((entry) => entry.offsetParent || entry === document.activeElement);
    const place = entries.indexOf(document.activeElement);
    entries[(place + step + entries.length) % entries.length].focus();
  });
  document.addEventListener("scroll", () => menu.matches(":popover-open") && menu.hidePopover(), { passive: true });
})();
