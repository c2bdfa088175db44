/* What scripts add to pages that work without them: copying, freshness, news. No page needs this file. */
"use strict";

(() => {
  const language = document.documentElement.lang;
  const isPhone = () => matchMedia("(max-width: 640px)").matches;
  const numbers = new Intl.NumberFormat(language);

  /* Copy a text, a link of this console, or print. */
  function prepare(root) {
    for (const button of root.querySelectorAll("[data-copy], [data-print]")) button.hidden = false;
    for (const live of root.querySelectorAll("[data-live]")) live.hidden = !isLive();
    if (isPhone()) for (const fold of root.querySelectorAll("[data-foldable]")) fold.open = false;
    if (isLive()) tell();
  }

  async function copy(button) {
    const text = button.dataset.copy;
    await navigator.clipboard.writeText("copyLink" in button.dataset ? new URL(text, location.href).href : text);
    const word = button.querySelector("[data-copied]");
    const before = word.textContent;
    word.textContent = word.dataset.copied;
    setTimeout(() => { word.textContent = before; }, 1500);
  }

  /* News: the stream counts what came since the page was made; rows stay where they are until somebody asks. */
  const isLive = () => document.querySelector("[data-stream]") !== null && "htmx" in window;
  const STALE_SECONDS = 30;
  let last = Date.now();
  let lost = false;
  let paused = false;
  let news = 0;

  function tell() {
    for (const live of document.querySelectorAll("[data-live]")) {
      const state = live.querySelector("[data-live-state]");
      const seconds = Math.round((Date.now() - last) / 1000);
      const stale = lost || seconds > STALE_SECONDS;
      live.classList.toggle("is-stale", stale && !paused);
      live.classList.toggle("is-paused", paused);
      const words = paused ? state.dataset.pausedText
        : stale ? state.dataset.staleText
        : state.dataset.liveText.replace("{count}", numbers.format(seconds));
      const told = live.querySelector("[data-live-words]");
      if (told.textContent !== words) told.textContent = words;
      const pill = live.querySelector("[data-news]");
      pill.hidden = paused || news === 0;
      pill.textContent = pill.dataset.one.replace("{count}", numbers.format(news));
    }
    const banner = document.getElementById("stale");
    if (banner) banner.hidden = paused || !(lost || Date.now() - last > STALE_SECONDS * 1000);
  }

  document.addEventListener("htmx:sse:after:connection", () => { lost = false; last = Date.now(); tell(); });
  document.addEventListener("htmx:sse:error", () => { lost = true; tell(); });
  document.addEventListener("htmx:sse:before:message", (event) => {
    const { event: name, data } = event.detail.message;
    last = Date.now();
    lost = name === "stale";
    if (name === "changes") news += JSON.parse(data).changes.length;
    if (name === "reset" || name === "lagging") news += 1;
    tell();
  });
  setInterval(() => { if (isLive()) tell(); }, 1000);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-print], [data-pause]");
    if (!button) return;
    if ("print" in button.dataset) window.print();
    else if ("copy" in button.dataset) copy(button);
    else {
      paused = !paused;
      const before = button.textContent;
      button.textContent = button.dataset.go;
      button.dataset.go = before;
      tell();
    }
  });

  /* The slash key goes to the search box, as people know it from elsewhere. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const box = document.getElementById("search");
    if (!box) return;
    event.preventDefault();
    box.focus();
  });

  /* What htmx puts into the page is prepared as the page was. */
  document.addEventListener("htmx:after:swap", () => { news = 0; prepare(document); });

  prepare(document);
})();
