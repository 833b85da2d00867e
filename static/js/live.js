// Keeps a watched page fresh: asks its own address again and takes over the regions marked data-live that changed.
// Where nothing changed the server answers 304. After two failed polls the page says that it is stale.
(() => {
  const root = document.documentElement;
  const line = document.getElementById("freshness");
  if (!line || !root.dataset.live) return;
  const word = line.querySelector("[data-word]");
  const heard = line.querySelector("[data-heard]");
  const button = line.querySelector("button");
  const HIDDEN = 12; // so many times rarer while nobody looks
  const PATIENCE = 10_000;
  const COUNT = /^\(\d+!\) /; // how many need a person, before the name of the page
  let mark = root.dataset.mark;
  let every = Number(line.dataset.every);
  let failed = 0;
  let asked = Date.now();
  let timer = 0;
  let running = null;

  // -- taking over: cells change where they stand, so that focus, selection and scroll stay

  const alike = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id || "") === (other.id || "");

  const morph = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    // What a person typed, and the version that a form was made at, are never ours to change.
    if (old.matches("input, select, textarea")) return;
    const isSameClock = old.dataset.deadline && old.dataset.deadline === fresh.dataset.deadline;
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
    }
    if (!isSameClock) morphChildren(old, fresh);
  };

  const drop = (node) => {
    const after = node.nextSibling;
    node.remove();
    return after;
  };

  // By id, so that what has the focus is never turned into something else: it goes only where it is gone itself.
  const morphChildren = (old, fresh) => {
    const stays = new Set([...fresh.children].map((child) => child.id));
    const isGone = (node) => node.nodeType !== Node.ELEMENT_NODE || (node.id && !stays.has(node.id));
    let here = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      while (here && !alike(here, next) && isGone(here)) here = drop(here);
      const found = here && !alike(here, next) && next.id && [...old.children].find((child) => child.id === next.id);
      if (found && found.contains(document.activeElement)) {
        while (here !== found) here = drop(here);
      } else if (found) {
        old.insertBefore(found, here);
        here = found;
      }
      if (here && alike(here, next)) {
        morph(here, next);
        here = here.nextSibling;
      } else {
        old.insertBefore(document.importNode(next, true), here);
      }
    }
    while (here) here = drop(here);
  };

  const takeOver = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const region of fresh.querySelectorAll("[data-live][id]")) {
      const old = document.getElementById(region.id);
      // Where a form is on its way, progress.js has the word until the answer is there.
      if (old && !old.querySelector("[aria-busy=true]")) morph(old, region);
    }
    document.title = (fresh.title.match(COUNT)?.[0] || "") + document.title.replace(COUNT, "");
    const icon = document.querySelector("link[rel=icon]");
    const shape = fresh.querySelector("link[rel=icon]")?.getAttribute("href");
    if (icon && shape && icon.getAttribute("href") !== shape) icon.setAttribute("href", shape);
    mark = fresh.documentElement.dataset.mark || mark;
    every = Number(fresh.documentElement.dataset.every) || every;
    return fresh.documentElement.dataset;
  };

  // The page became another one of its kind: from now on that one is asked for.
  document.addEventListener("sugaradmin:turned", ({ detail }) => {
    root.dataset.live = takeOver(detail).live;
  });

  // -- asking

  const isPaused = () => line.dataset.state === "paused";

  const show = (state) => {
    if (line.dataset.state === state) return;
    line.dataset.state = state;
    word.textContent = line.dataset[`${state}Word`] || "";
    button.textContent = state === "paused" ? button.dataset.goOnWord : button.dataset.pauseWord;
    button.hidden = state === "out";
  };

  const ask = async () => {
    asked = Date.now();
    const address = root.dataset.live;
    running = new AbortController();
    const patience = setTimeout(() => running?.abort(), PATIENCE);
    try {
      const answer = await fetch(address, {
        headers: { "X-Live": "1", "If-None-Match": `"${mark}"` },
        cache: "no-store",
        redirect: "manual",
        signal: running.signal,
      });
      if (answer.type === "opaqueredirect") {
        document.dispatchEvent(new Event("sugaradmin:signed-out"));
        return show("out");
      }
      if (answer.status !== 304 && !answer.ok) throw new Error(String(answer.status));
      const text = answer.ok ? await answer.text() : "";
      if (text && address === root.dataset.live) takeOver(text);
      failed = 0;
      const [idle, rest] = (answer.headers.get("X-Session-Seconds") || "").split(" ").map(Number);
      if (rest) document.dispatchEvent(new CustomEvent("sugaradmin:session", { detail: { idle, rest } }));
      const now = answer.headers.get("Date");
      heard.textContent = new Date(now || Date.now()).toLocaleTimeString("en-GB", { timeZone: line.dataset.zone || "UTC" });
      if (!isPaused()) show("live");
    } catch {
      failed += 1;
      if (failed >= 2 && !isPaused()) show("stale");
    } finally {
      clearTimeout(patience);
      running = null;
    }
    plan();
  };

  const plan = () => {
    clearTimeout(timer);
    if (isPaused() || line.dataset.state === "out") return;
    const pace = document.hidden ? Number(line.dataset.every) * HIDDEN : every;
    timer = setTimeout(ask, Math.max(0, asked + pace - Date.now()));
  };

  document.addEventListener("visibilitychange", () => {
    if (!running) plan();
  });
  button.addEventListener("click", () => {
    const goesOn = isPaused();
    show(goesOn ? "live" : "paused");
    if (goesOn) ask();
    else clearTimeout(timer);
  });
  show("live");
  plan();
})();
