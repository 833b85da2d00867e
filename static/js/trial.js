// Takes the test of the wizard step by step, so that each check shows as soon as it is done. Without this script one
// request does them all. Each step is a form post of its own: leaving the page loses nothing, it goes on from there.
(() => {
  const AGAIN_AFTER = 2000; // ms: a step that was still running is asked for again

  const announce = (form) => {
    const line = document.querySelector(".checks [data-state=waiting], .checks [data-state=failed], .checks [data-state=running]");
    if (!line) return;
    line.dataset.state = "running";
    line.querySelector("[data-word]").textContent = form.dataset.running;
    form.querySelector("button[type=submit]").disabled = true;
  };

  const replace = (answer) => {
    for (const part of ["main", "title"]) {
      const fresh = answer.querySelector(part);
      if (fresh) document.querySelector(part).replaceWith(fresh);
    }
    document.dispatchEvent(new Event("sugaradmin:replaced"));
    arm();
  };

  const step = async (form) => {
    const body = new FormData(form);
    body.set("one", "1");
    announce(form);
    const response = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
    const answer = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = answer.querySelector("[data-goes-on]");
    if (response.ok && !answer.querySelector("[data-trial]")) {
      location.assign(response.url); // done, or signed out: another page
      return;
    }
    const isRunning = answer.querySelector(".checks [data-state=running]");
    replace(answer);
    const again = document.querySelector("[data-trial]");
    if (!next || !again) {
      document.getElementById("test")?.focus();
      return;
    }
    announce(again);
    setTimeout(() => go(again), isRunning ? AGAIN_AFTER : 0);
  };

  // Whatever goes wrong on the way: the page as the server knows it says how far the test came.
  const go = (form) => step(form).catch(() => location.reload());

  const arm = () => {
    const form = document.querySelector("[data-trial]");
    if (!form) return;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      go(form);
    });
  };
  arm();
})();
