// Everything here is comfort: each page works without it.
"use strict";

// As the pages write them (config/formats): day before month, 24 hours, whichever English it is.
const language = (document.documentElement.lang || "en").replace(/^en$/, "en-GB");

// -- times in the viewer's zone and language -------------------------------------------------------

const styles = {
  full: { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" },
  short: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  hour: { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { year: "numeric", month: "short", day: "numeric" },
  tick: { month: "short", day: "numeric" },
};

function localise(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    time.textContent = new Date(time.dateTime).toLocaleString(language, styles[time.dataset.local]);
    time.removeAttribute("data-local");
  }
  for (const time of root.querySelectorAll("time[data-tip]")) {
    time.title = new Date(time.dateTime).toLocaleString(language, styles.full);
    time.removeAttribute("data-tip");
  }
  for (const text of root.querySelectorAll("text[data-local-svg]")) {
    text.textContent = new Date(text.dataset.localSvg).toLocaleString(language, styles[text.dataset.style]);
    text.removeAttribute("data-local-svg");
  }
}

// -- light and dark --------------------------------------------------------------------------------

function setUpTheme() {
  const order = ["auto", "light", "dark"];
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    const name = button.querySelector("[data-theme-name]");
    const show = () => {
      name.textContent = name.dataset[document.documentElement.dataset.theme || "auto"];
    };
    button.hidden = false;
    show();
    button.addEventListener("click", () => {
      const now = document.documentElement.dataset.theme || "auto";
      const next = order[(order.indexOf(now) + 1) % order.length];
      if (next === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
      try {
        if (next === "auto") localStorage.removeItem("theme");
        else localStorage.setItem("theme", next);
      } catch {
        // It holds for this page, then.
      }
      show();
    });
  }
}

// -- keyboard --------------------------------------------------------------------------------------

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA|VIDEO|AUDIO)$/.test(target.tagName));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open], details.filters[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (document.activeElement?.id === "q") document.activeElement.blur();
    return;
  }
  if (isTyping(event.target)) return;
  if (event.key === "/") {
    const search = document.getElementById("q");
    search.focus();
    search.select();
    event.preventDefault();
  } else if (event.key === "j" || event.key === "k") {
    const links = [...document.querySelectorAll("[data-card] .card-link")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
    links[next].focus();
    event.preventDefault();
  }
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open], details.filters[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// -- slides ----------------------------------------------------------------------------------------

// Where each carousel stands, for when it is put in anew with more pictures or texts.
const places = {};

// Wherever the keyboard is, but where the keys have a meaning of their own: a field, a player, something else that scrolls.
// Home and End are the page's, unless the slides have the keyboard.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented || isTyping(event.target)) return;
  const box = document.querySelector("[data-slides]");
  const own = event.target.closest(".slides-list, [data-slides-bar]");
  const keys = own ? ["ArrowLeft", "ArrowRight", "Home", "End"] : ["ArrowLeft", "ArrowRight"];
  if (!box || !keys.includes(event.key) || (!own && event.target.closest("[tabindex='0']"))) return;
  box.dispatchEvent(new CustomEvent("turn", { detail: event.key }));
  event.preventDefault();
});

function setUpSlides(root) {
  for (const box of root.querySelectorAll("[data-slides]:not([data-ready])")) {
    box.dataset.ready = "";
    const list = box.querySelector("ol");
    const bar = box.querySelector("[data-slides-bar]");
    const place = box.querySelector("[data-place]");
    const [previous, next] = [box.querySelector("[data-previous]"), box.querySelector("[data-next]")];
    const links = [...box.querySelectorAll("[data-strip] a")];
    const count = list.children.length;
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    let at = Math.min(places[box.dataset.slides] ?? 0, count - 1);
    const show = () => {
      places[box.dataset.slides] = at;
      place.textContent = `${at + 1} / ${count}`;
      const last = at === 0 ? previous : at === count - 1 ? next : null;
      if (last && document.activeElement === last) list.focus({ preventScroll: true }); // a disabled button would swallow all keys
      previous.disabled = at === 0;
      next.disabled = at === count - 1;
      links.forEach((link, n) => (n === at ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
      const strip = links[at]?.closest("ol");
      if (strip) strip.scrollLeft = links[at].offsetLeft - strip.offsetLeft - strip.clientWidth / 2 + 24;
    };
    // Where we scroll to ourselves: until it is there, or a hand takes over, the end of an earlier scroll says nothing.
    let heading = null;
    for (const hand of ["pointerdown", "touchstart", "wheel"]) {
      list.addEventListener(hand, () => (heading = null), { passive: true });
    }
    const go = (to, { quickly = calm.matches } = {}) => {
      heading = at = Math.max(0, Math.min(count - 1, to));
      list.scrollTo({ left: at * list.clientWidth, behavior: quickly ? "instant" : "smooth" });
      show();
    };
    const settle = () => {
      const seen = Math.round(list.scrollLeft / list.clientWidth);
      if (heading !== null && seen !== heading) return;
      heading = null;
      if (seen !== at && seen >= 0 && seen < count) {
        at = seen;
        show();
      }
    };
    if ("onscrollend" in list) {
      list.addEventListener("scrollend", settle);
    } else {
      let settled = 0;
      const soon = () => {
        clearTimeout(settled);
        settled = setTimeout(settle, 200);
      };
      list.addEventListener("scroll", soon, { passive: true });
    }
    new ResizeObserver(() => go(at, { quickly: true })).observe(list);
    box.addEventListener("turn", (event) => {
      const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: count - 1 };
      go(steps[event.detail]);
    });
    previous.addEventListener("click", () => go(at - 1));
    next.addEventListener("click", () => go(at + 1));
    links.forEach((link, n) => {
      link.addEventListener("click", (event) => {
        go(n);
        event.preventDefault();
      });
    });
    for (const link of box.querySelectorAll("[data-to]")) {
      link.addEventListener("click", (event) => {
        go(Number(link.dataset.to));
        event.preventDefault();
      });
    }
    bar.hidden = count < 2;
    const named = /^#slide-(\d+)$/.exec(location.hash);
    if (named && !(box.dataset.slides in places)) at = Math.min(Number(named[1]), count) - 1;
    go(at, { quickly: true });
  }
}

// -- small comforts --------------------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const save = event.target.closest("[data-save]");
  if (save) {
    const step = save.closest("section")?.querySelector("[data-saved]");
    if (step) step.className = "done";
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const source = document.getElementById(copy.dataset.copy);
    getSelection().selectAllChildren(source);
    try {
      await navigator.clipboard.writeText(source.textContent);
      copy.replaceChildren("✓");
    } catch {
      // It is selected, at least.
    }
  }
  const all = event.target.closest("[data-choose-all]");
  if (all) {
    const boxes = [...document.querySelectorAll(".pick input[type=checkbox]")];
    const choose = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = choose;
  }
});

// The form of a new source offers only what its platform has, and says how that is written.
function setUpOffers(root) {
  const form = root.querySelector("form[data-offers]:not([data-ready])");
  if (!form) return;
  form.dataset.ready = "";
  const { platform, kind, value } = form.elements;
  const helps = [...form.querySelectorAll("[data-offer]")];
  const has = (wanted) => helps.some((help) => help.dataset.offer === wanted);
  const show = () => {
    for (const option of kind.options) option.disabled = !has(`${platform.value}:${option.value}`);
    if (kind.selectedOptions[0].disabled) kind.value = [...kind.options].find((option) => !option.disabled).value;
    for (const help of helps) {
      help.hidden = help.dataset.offer !== `${platform.value}:${kind.value}`;
      if (!help.hidden) value.placeholder = help.dataset.example;
    }
    form.elements.is_own.closest(".field").hidden = kind.value !== "profile";
  };
  platform.addEventListener("change", show);
  kind.addEventListener("change", show);
  show();
}

// A list that refreshes itself keeps what was chosen on it.
let chosen = new Set();
document.addEventListener("htmx:beforeSwap", () => {
  chosen = new Set([...document.querySelectorAll(".download-row input:checked")].map((box) => box.value));
});

// What is being pressed stays where it is: a click is lost when its button is put in anew between the press and the release.
// What a page asks for from time to time is left out then, and asked for again.
let isPressing = false;
addEventListener("pointerdown", (event) => (isPressing = event.button === 0), { passive: true });
for (const end of ["pointerup", "pointercancel", "contextmenu", "blur"]) {
  addEventListener(end, () => (isPressing = false), { passive: true });
}
document.addEventListener("htmx:beforeSwap", (event) => {
  const isAskedAgain = event.detail.requestConfig.elt.getAttribute("hx-trigger")?.startsWith("every");
  if (isPressing && isAskedAgain) event.detail.shouldSwap = false;
});

// "More" is gone once it was pressed: who was on it goes on at the first of the new cards.
let wasOnMore = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, shouldSwap } = event.detail;
  if (shouldSwap && target.id === "more") wasOnMore = target.contains(document.activeElement);
});
document.addEventListener("htmx:load", (event) => {
  const link = wasOnMore && event.detail.elt.matches("[data-card]") && event.detail.elt.querySelector(".card-link");
  if (!link) return;
  wasOnMore = false;
  link.focus();
});

// -- live hints ------------------------------------------------------------------------------------

let socket = null;
let wait = 1000;

function names() {
  return [...new Set([...document.querySelectorAll("[data-live]")].map((element) => element.dataset.live))];
}

function listen() {
  const url = document.body.dataset.events;
  const wanted = names();
  if (!url || !wanted.length || !("WebSocket" in window)) return;
  const query = new URLSearchParams();
  for (const name of wanted) {
    const [kind, id] = name.split("-");
    if (id) query.append(kind, id);
  }
  try {
    socket = new WebSocket(`${url}?${query}`);
  } catch {
    return; // pages ask by themselves from time to time
  }
  socket.addEventListener("open", () => {
    wait = 1000;
  });
  socket.addEventListener("message", (message) => {
    let content;
    try {
      content = JSON.parse(message.data);
    } catch {
      return;
    }
    if (typeof content.event !== "string") return;
    document.body.dispatchEvent(new CustomEvent(content.event, { detail: content }));
    if (content.event.startsWith("video-")) document.body.dispatchEvent(new CustomEvent("downloads"));
  });
  socket.addEventListener("close", () => {
    socket = null;
    if (document.visibilityState === "visible") setTimeout(listen, wait);
    wait = Math.min(wait * 2, 60000);
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && !socket) listen();
});
addEventListener("pagehide", () => socket?.close());

// -- beginning, and after each part that htmx puts in ----------------------------------------------

function setUp(root) {
  localise(root);
  setUpSlides(root);
  setUpOffers(root);
  for (const button of root.querySelectorAll("[data-copy], [data-choose-all]")) button.hidden = false;
}

setUpTheme();
setUp(document);
listen();
document.addEventListener("htmx:load", (event) => {
  setUp(event.detail.elt.parentElement ?? document);
  for (const box of document.querySelectorAll(".download-row input")) if (chosen.has(box.value)) box.checked = true;
});
