// Says two minutes before that somebody will be signed out for opening no page, and lets him stay without losing a form.
(() => {
  const toast = document.querySelector("[data-idle-seconds]");
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  if (!toast || !token) return;
  const wait = Math.max(Number(toast.dataset.idleSeconds) - 120, 1) * 1000;
  let alarm = 0;
  const begin = () => {
    clearTimeout(alarm);
    toast.hidden = true;
    alarm = setTimeout(() => { toast.hidden = false; }, wait);
  };
  toast.querySelector("button").addEventListener("click", async () => {
    const answer = await fetch(toast.dataset.stay, { method: "POST", headers: { "X-CSRFToken": token.value } });
    if (answer.status === 204) begin();
    else location.reload();
  });
  begin();
})();
