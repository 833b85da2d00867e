// Follows the link of a page that waits for something, after as many seconds as it says.
(() => {
  const link = document.querySelector("[data-again]");
  if (link) setTimeout(() => location.replace(link.href), Number(link.dataset.again) * 1000);
})();
