// What was typed into a form is not lost when the session ends meanwhile: it stays in this tab, and is put back when the
// same person has signed in again. Never a secret: no password, no code, nothing hidden, and nothing that is typed to
// confirm a deed.
(() => {
  const session = document.getElementById("session");
  const main = document.getElementById("content");
  if (!session || !main) return;
  const { person, began } = session.dataset;
  const KEY = "typed";
  const SECRETS = new WeakSet(document.querySelectorAll("input[type=password]")); // reveal.js may turn one into text
  const TYPED = "input:not([type=hidden], [type=password], [type=file]), textarea, select";

  const forms = () => [...main.querySelectorAll("form[method=post]:not([data-confirm])")];
  const nameOf = (form) => `${form.getAttribute("action") || ""} ${form.querySelector("[name=section]")?.value || ""}`;
  const fieldsOf = (form) => [...form.querySelectorAll(TYPED)].filter((one) =>
    one.name && !SECRETS.has(one) && !/password|one-time-code/.test(one.autocomplete) && !["confirm", "code"].includes(one.name));

  const isBox = (one) => one.type === "checkbox" || one.type === "radio";
  const isTouched = (one) => {
    if (isBox(one)) return one.checked !== one.defaultChecked;
    if (one.options) return [...one.options].some((option) => option.selected !== option.defaultSelected);
    return one.value !== one.defaultValue;
  };
  const keyOf = (one) => (isBox(one) ? `${one.name}=${one.value}` : one.name);

  const kept = (() => {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  })();
  const isLost = kept && kept.person === person && kept.began !== began;
  // What was refused stands in the form as if it had always been there.
  const isRefused = kept && !isLost && kept.path === location.pathname && main.querySelector("form .error");
  const refused = isRefused ? kept.typed : {};

  const keep = () => {
    const typed = {};
    for (const form of forms()) {
      const before = new Map(refused[nameOf(form)] || []);
      const touched = fieldsOf(form).filter((one) => isTouched(one) || before.has(keyOf(one)));
      if (touched.length) typed[nameOf(form)] = touched.map((one) => [keyOf(one), isBox(one) ? one.checked : one.value]);
    }
    if (!Object.keys(typed).length) return sessionStorage.removeItem(KEY);
    sessionStorage.setItem(KEY, JSON.stringify({ person, began, path: location.pathname, typed }));
  };

  const putBack = (typed) => {
    let isAny = false;
    for (const form of forms()) {
      const kept = new Map(typed[nameOf(form)] || []);
      for (const one of fieldsOf(form)) {
        if (!kept.has(keyOf(one)) || isTouched(one)) continue;
        if (isBox(one)) one.checked = kept.get(keyOf(one));
        else one.value = kept.get(keyOf(one));
        isAny = true;
      }
      if (kept.size) form.closest("details")?.setAttribute("open", "");
    }
    if (!isAny) return;
    const told = document.createElement("p");
    told.className = "notice";
    told.dataset.status = "retrying";
    told.setAttribute("role", "status");
    main.prepend(told);
    told.textContent = session.dataset.back;
    keep();
  };

  if (isLost && kept.path === location.pathname) putBack(kept.typed);
  // In the same session the page was left or its form taken: what is old must not come back.
  else if (kept && !isLost && !isRefused) sessionStorage.removeItem(KEY);

  main.addEventListener("input", keep);
  main.addEventListener("change", keep);
  document.addEventListener("submit", ({ target }) => {
    if (!main.contains(target)) sessionStorage.removeItem(KEY); // signs out
  });
})();
