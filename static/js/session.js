// Says before a session ends that it will: two minutes before for want of use, which a button prevents, and five minutes
// before for its age, which nothing prevents. What another tab does is heard of from the answers to live.js.
(() => {
  const toast = document.getElementById("session");
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  if (!toast || !token) return;
  const BEFORE = { idle: 120, rest: 300 }; // seconds
  const FURTHEST = 2_000_000_000; // a longer timer would ring at once
  const alarms = {};
  const show = (when) => {
    toast.hidden = !when;
    for (const one of toast.querySelectorAll("[data-when]")) one.hidden = one.dataset.when !== when;
  };
  const shown = () => [...toast.querySelectorAll("[data-when]")].find((one) => !one.hidden)?.dataset.when;
  const arm = (when, left) => {
    clearTimeout(alarms[when]);
    const wait = Math.min(Math.max(left - BEFORE[when], 0) * 1000, FURTHEST);
    alarms[when] = setTimeout(() => { if (when !== "idle" || shown() !== "rest") show(when); }, wait);
  };
  const begin = (idle, rest) => {
    if (idle < rest) arm("idle", idle); // otherwise its age ends it first
    else clearTimeout(alarms.idle);
    if (shown() === "idle" && idle > BEFORE.idle) show("");
    if (shown() !== "rest") arm("rest", rest);
  };

  let whole = Number(toast.dataset.idle);
  toast.querySelector("button").addEventListener("click", async () => {
    const answer = await fetch(toast.dataset.stay, { method: "POST", headers: { "X-CSRFToken": token.value } });
    if (answer.status !== 204) return location.reload();
    show("");
    arm("idle", whole);
  });
  document.addEventListener("sugaradmin:session", ({ detail }) => {
    whole = Math.max(whole, detail.idle);
    begin(detail.idle, detail.rest);
  });
  document.addEventListener("sugaradmin:signed-out", () => {
    clearTimeout(alarms.idle);
    clearTimeout(alarms.rest);
    const link = toast.querySelector("[data-when=out] a");
    link.href = `${link.pathname}?next=${encodeURIComponent(location.pathname + location.search)}`;
    show("out");
  });
  begin(whole, Number(toast.dataset.rest));
})();
