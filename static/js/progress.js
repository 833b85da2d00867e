// While Sugar is asked the page does not change: says so beside the button, and lets nobody press it twice.
(() => {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.progress || event.defaultPrevented) return;
    const button = form.querySelector("button[type=submit]");
    const note = document.createElement("p");
    note.className = "progress";
    note.setAttribute("role", "status");
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", form.dataset.progress);
    const since = document.createElement("time");
    since.dataset.since = String(Date.now());
    since.setAttribute("aria-live", "off");
    note.append(bar, ` ${form.dataset.progress} `, since);
    form.append(note);
    button.setAttribute("aria-busy", "true");
    setTimeout(() => (button.disabled = true)); // after the form has left with it
  });
  // Back to a page that the browser kept: nothing runs there any more.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
