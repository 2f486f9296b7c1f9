// What pages do better with a script: htmx swaps parts of them, and this says so, minds the focus, shows what went wrong
// and listens for other people's changes. Without it everything works, with whole pages.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);

  /** Tells a screen reader; a text that is the same again is told again. */
  const say = (text) => {
    byId("status").textContent = "";
    setTimeout(() => { byId("status").textContent = text; }, 50);
  };

  /** Shows what went wrong above the page. */
  const complain = (text) => {
    const line = document.createElement("p");
    line.className = "problem";
    line.textContent = text;
    byId("alerts").replaceChildren(line);
    byId("alerts").scrollIntoView({ block: "nearest" });
  };

  /** Shows one of the page's notices, which a page without a script gets to by its address. */
  const notice = (id) => {
    for (const other of document.querySelectorAll(".notice")) other.hidden = true;
    const line = byId(id);
    if (!line) return;
    line.hidden = false;
    line.classList.add("shown");
    line.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  };

  /** Times as the visitor's clock has them. */
  const localTimes = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = time.dateTime;
      const form = "time" in time.dataset ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "medium" };
      time.textContent = new Intl.DateTimeFormat("en-GB", form).format(at);
    }
  };

  // ── what htmx has done ──

  const problemOf = (html) =>
    new DOMParser().parseFromString(html, "text/html").querySelector(".problem")?.textContent
    ?? "That did not work. Load the page again.";

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    const isAsked = !requestConfig.elt.matches("[data-refresh]");
    // Signed out in the meantime: a page for signing in is no part of another.
    if (new URL(xhr.responseURL).pathname === "/sign-in") {
      event.detail.shouldSwap = false;
      if (isAsked) location.assign("/sign-in");
      else complain("You are signed out.");
    } else if (xhr.status >= 400) {
      event.detail.shouldSwap = false;
      byId("ask")?.close();
      complain(problemOf(xhr.responseText));
    } else if (isAsked) {
      byId("alerts").replaceChildren();
    }
  });

  const noAnswer = () => complain("There is no answer. Try again in a moment.");
  document.addEventListener("htmx:sendError", noAnswer);
  document.addEventListener("htmx:timeout", noAnswer);

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "ask" && !event.target.open) event.target.showModal();
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.target;
    localTimes(part);
    const by = event.detail.requestConfig?.elt;
    if (by?.closest("dialog") && part.id !== "ask") byId("ask").close();
    if (by?.dataset.done) {
      live.ownUntil = performance.now() + 2000;
      if (by.isConnected) by.reset();
      notice(by.dataset.done);
      return;
    }
    // Of what one has changed oneself, one is not told as of other people's changes.
    const isAsked = !by?.matches("[data-refresh]");
    if (isAsked) live.ownUntil = performance.now() + 2000;
    if (part.dataset?.says && (isAsked || performance.now() > live.ownUntil)) say(part.dataset.says);
    // What was pressed is gone: go on where its effect is.
    if (by && !by.isConnected && document.activeElement === document.body) part.focus({ preventScroll: true });
  });

  // ── menus and the dialog ──

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const dialog = event.target.closest("[data-close]")?.closest("dialog");
    if (dialog) {
      event.preventDefault();
      dialog.close();
    }
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // ── other people's changes ──

  /** The stream says which rows have changed: `note` `{"op":"update","id":"…"}`. What is in them now, is read as ever. */
  const live = {
    source: null,
    timer: 0,
    due: new Set(),
    isBehind: false,
    ownUntil: 0,

    /** Reads a part of the page again, once for whatever comes together. */
    refresh(part) {
      live.due.add(part.id);
      clearTimeout(live.timer);
      live.timer = setTimeout(() => {
        for (const id of live.due) {
          const target = byId(id);
          const here = location.pathname + location.search;
          if (target) htmx.ajax("GET", here, { source: target, target, select: `#${id}`, swap: "outerHTML show:none" });
        }
        live.due.clear();
      }, 150);
    },

    parts: () => document.querySelectorAll("[data-refresh]"),

    heard(event) {
      const ids = [JSON.parse(event.data).id ?? []].flat();
      for (const part of live.parts()) {
        const { refresh, row } = part.dataset;
        // Another row's than the one that is shown; several were changed where none is named.
        const isOther = row && ids.length > 0 && !ids.includes(row);
        if (refresh.split(" ").includes(event.type) && !isOther) live.refresh(part);
      }
    },

    catchUp() {
      live.isBehind = false;
      live.parts().forEach(live.refresh);
    },

    open() {
      const address = byId("main").dataset.live;
      // Browsers open few connections to one place: those who do not look need none.
      if (!address || live.source || document.hidden || !("EventSource" in window)) return;
      live.source = new EventSource(address);
      live.source.addEventListener("ready", () => {
        byId("main").dataset.listening = "";
        if (live.isBehind) live.catchUp();
      });
      live.source.addEventListener("resync", live.catchUp);
      live.source.addEventListener("error", () => { live.isBehind = true; });
      const tables = new Set([...live.parts()].flatMap((part) => part.dataset.refresh.split(" ")));
      for (const table of tables) live.source.addEventListener(table, live.heard);
    },

    close() {
      live.source?.close();
      live.source = null;
      live.isBehind = true;
    },
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? live.close() : live.open()));
  window.addEventListener("pagehide", live.close);
  window.addEventListener("pageshow", live.open);

  localTimes(document);
  const here = document.querySelector(".tabs [aria-current]");
  if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 40;
  // Shown once: not when the page is loaded again, nor to whoever gets the link.
  if (location.hash && byId(location.hash.slice(1))?.classList.contains("notice")) {
    notice(location.hash.slice(1));
    history.replaceState(history.state, "", location.pathname + location.search);
  }
})();
