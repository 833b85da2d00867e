// Lets deadlines run down and spans run up, by the server's clock: the difference to ours is measured once, when the
// page arrives.
(() => {
  const root = document.documentElement;
  const made = Date.parse(root.dataset.now || "");
  if (Number.isNaN(made)) return;
  const offset = made - Date.now();

  const left = (seconds) => {
    if (seconds <= 0) return root.dataset.over || "0 s";
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
    return null; // days: what the server wrote stays right
  };

  const write = (clock, text) => {
    if (text !== null && clock.textContent !== text) clock.textContent = text;
  };

  const tick = () => {
    for (const clock of document.querySelectorAll("[data-deadline]")) {
      write(clock, left(Math.round((Date.parse(clock.dataset.deadline) - Date.now() - offset) / 1000)));
    }
    for (const clock of document.querySelectorAll("[data-since]")) {
      write(clock, `${Math.round((Date.now() - Number(clock.dataset.since)) / 1000)} s`);
    }
  };
  tick();
  setInterval(tick, 1000);
})();
