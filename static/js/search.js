// Narrows the list while somebody types: the answer that the form would get is taken over where it stands, by live.js,
// and the address follows, so that a reload, a link and the way back show the same. The button still asks without it.
(() => {
  const form = document.querySelector("form[data-instant]");
  const field = form?.querySelector("[type=search]");
  if (!field) return;
  const PAUSE = 250; // after the last key
  let timer = 0;
  let running = null;

  const stop = () => {
    clearTimeout(timer);
    running?.abort();
  };

  const look = async () => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = String(query) ? `?${query}` : location.pathname;
    running = new AbortController();
    try {
      const answer = await fetch(address, {
        headers: { "X-Live": "1" },
        cache: "no-store",
        redirect: "manual",
        signal: running.signal,
      });
      if (answer.type === "opaqueredirect") return document.dispatchEvent(new Event("sugaradmin:signed-out"));
      if (!answer.ok) return;
      const text = await answer.text();
      history.replaceState(null, "", address);
      document.dispatchEvent(new CustomEvent("sugaradmin:turned", { detail: text }));
    } catch {
      // Left for a newer one; or nobody answers, which the line at the bottom says.
    }
  };

  field.addEventListener("input", () => {
    stop();
    timer = setTimeout(look, PAUSE);
  });
  form.addEventListener("submit", stop);
})();
