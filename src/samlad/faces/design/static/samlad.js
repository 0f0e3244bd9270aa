/* What pages need beside htmx: theme, toasts, dialogs, menus, steppers, picking rows, copying, plots, keyboard shortcuts.
   Listeners sit on the document, so that what htmx brings later works at once. Every page works without this file, only less smoothly. */

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const words = () => byId("toasts")?.dataset ?? {};

/* -- toasts: from us, or from the server by the header  HX-Trigger: {"toast": {"text": …, "kind": …, "undo": "/address"}} ------------ */

export function toast({ text, kind = "", undo = null }) {
  const region = byId("toasts");
  if (!region) return;
  const box = element("div", `toast ${kind}`);
  box.append(iconOf(kind === "" || kind === "success" ? "check" : "warning"), element("span", "", text));
  if (undo) {
    const button = element("button", "", words().undo);
    button.type = "button";
    button.addEventListener("click", () => {
      box.remove();
      window.htmx.ajax("POST", undo, { swap: "none" });
    });
    box.append(button);
  }
  const close = element("button", "");
  close.type = "button";
  close.ariaLabel = words().close;
  close.append(iconOf("close"));
  close.addEventListener("click", () => box.remove());
  box.append(close);
  region.append(box);
  while (region.children.length > 4) region.firstElementChild.remove();
  leaveAfter(box, undo || kind === "danger" ? 12000 : 5000);
}

/* A toast stays while it is pointed at or focused. */
function leaveAfter(box, milliseconds) {
  const timer = setInterval(() => {
    if (box.matches(":hover, :focus-within")) return;
    clearInterval(timer);
    box.remove();
  }, milliseconds);
}

function element(name, css, text) {
  const made = document.createElement(name);
  made.className = css;
  if (text !== undefined) made.textContent = text;
  return made;
}

/* The sprite's address (with its hash) is taken from an icon that the server has drawn. */
function iconOf(name) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  const drawn = document.querySelector("svg.icon use")?.getAttribute("href") ?? "/static/icons.svg#";
  use.setAttribute("href", `${drawn.split("#")[0]}#${name}`);
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  made.append(use);
  return made;
}

document.addEventListener("toast", (event) => {
  const detail = event.detail ?? {};
  toast(typeof detail.value === "string" ? { text: detail.value } : detail);
});
document.addEventListener("htmx:sendError", () => toast({ text: words().offline, kind: "danger" }));
document.addEventListener("htmx:responseError", (event) => {
  toast({ text: problemOf(event.detail.xhr) ?? words().failed, kind: "danger" });
});

/* The detail of a problem document (RFC 9457) is meant for people. */
function problemOf(request) {
  if (!request.getResponseHeader("content-type")?.includes("json")) return null;
  try {
    const problem = JSON.parse(request.responseText);
    return problem.detail ?? problem.title ?? null;
  } catch {
    return null;
  }
}

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token) event.detail.headers["x-csrf-token"] = token;
});

/* -- clicks ------------------------------------------------------------------------------------------------------------------------ */

const clicks = {
  "[data-open]": (target) => {
    const dialog = byId(target.dataset.open);
    if (dialog && target.dataset.fill) fill(dialog, JSON.parse(target.dataset.fill));
    openDialog(dialog);
  },
  "[data-close]": (target) => target.closest("dialog")?.close(),
  "[data-theme-set]": (target) => setTheme(target.dataset.themeSet),
  "[data-copy]": async (target) => {
    await navigator.clipboard.writeText(target.dataset.copy);
    toast({ text: words().copied });
  },
  "[data-back]": () => history.back(),
  "[data-print]": () => window.print(),
  "[data-shortcut-help]": () => showShortcuts(),
  "[data-step]": (target) => step(target),
};

document.addEventListener("click", (event) => {
  for (const [selector, act] of Object.entries(clicks)) {
    const target = event.target.closest(selector);
    if (target) act(target);
  }
  if (event.target instanceof HTMLDialogElement && event.target.matches("dialog[open]")) event.target.close(); // the backdrop
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target) || event.target.closest("[data-menu] :is(a, button)")) {
      if (!event.target.closest("[data-theme-set]")) menu.open = false;
    }
  }
});

function openDialog(dialog) {
  if (dialog && !dialog.open) dialog.showModal();
}

openDialog(document.querySelector("dialog[data-open-now]")); // its form was refused and is here again, with what was typed

/* One dialog serves all rows of a list: the button of a row says what stands in it, by names of fields and of data-told. */
function fill(dialog, told) {
  const form = dialog.querySelector("form");
  form.reset();
  for (const [name, value] of Object.entries(told)) {
    if (name === "action") form.setAttribute("action", value);
    else if (form.elements[name]) form.elements[name].value = value;
    for (const place of dialog.querySelectorAll(`[data-told="${name}"]`)) place.textContent = value;
  }
}

/* -- theme: in a cookie, so that the server sends the page in it ---------------------------------------------------------------- */

function setTheme(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  const age = theme ? 31536000 : 0;
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme));
  }
  drawPlots(document, true);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawPlots(document, true));

/* -- quantity -------------------------------------------------------------------------------------------------------------------- */

function step(button) {
  const input = button.closest("[data-stepper]").querySelector("input");
  const before = input.value;
  const by = Number(input.dataset.by ?? 1);
  if (button.dataset.step === "1") input.stepUp(by);
  else input.stepDown(by);
  if (input.value !== before) input.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("change", (event) => {
  const stepper = event.target.closest("[data-stepper]");
  if (stepper) {
    const { value, min, max } = event.target;
    stepper.querySelector('[data-step="-1"]').disabled = Number(value) <= Number(min);
    stepper.querySelector('[data-step="1"]').disabled = Number(value) >= Number(max);
  }
  if (event.target.matches("[data-pick], [data-pick-all]")) pick(event.target);
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

/* -- what is current in a row of tabs or a navigation that scrolls is in view from the start (the page itself stays where it is) -------- */

function showCurrent() {
  for (const one of document.querySelectorAll(".tabs > [aria-current], .side-nav > [aria-current]")) {
    for (let box = one.parentElement; box && box !== document.body; box = box.parentElement) {
      const [at, around] = [one.getBoundingClientRect(), box.getBoundingClientRect()];
      if (box.scrollWidth > box.clientWidth && (at.left < around.left || at.right > around.right)) {
        box.scrollLeft += (at.left + at.right - around.left - around.right) / 2;
      }
      if (box.scrollHeight > box.clientHeight && getComputedStyle(box).overflowY !== "visible" && (at.top < around.top || at.bottom > around.bottom)) {
        box.scrollTop += (at.top + at.bottom - around.top - around.bottom) / 2;
      }
    }
  }
}
showCurrent();
document.addEventListener("htmx:afterSettle", showCurrent);

/* -- picking rows: within [data-picking]; shift picks a range ----------------------------------------------------------------------- */

let lastPicked = null;
let shift = false;
document.addEventListener("click", (event) => (shift = event.shiftKey), true);

function pick(box) {
  const area = box.closest("[data-picking]");
  if (!area) return;
  const boxes = [...area.querySelectorAll("[data-pick]")];
  if (box.matches("[data-pick-all]")) boxes.forEach((other) => (other.checked = box.checked));
  else {
    if (shift && boxes.includes(lastPicked)) {
      const [from, to] = [boxes.indexOf(lastPicked), boxes.indexOf(box)].sort((a, b) => a - b);
      boxes.slice(from, to + 1).forEach((other) => (other.checked = box.checked));
    }
    lastPicked = box;
  }
  countPicked(area);
}

function countPicked(area) {
  const boxes = [...area.querySelectorAll("[data-pick]")];
  const picked = boxes.filter((other) => other.checked).length;
  const all = area.querySelector("[data-pick-all]");
  if (all) {
    all.checked = picked > 0 && picked === boxes.length;
    all.indeterminate = picked > 0 && picked < boxes.length;
  }
  const bulk = area.querySelector("[data-bulk]");
  if (bulk) {
    bulk.hidden = picked === 0;
    bulk.querySelector("[data-picked]").textContent = picked;
  }
}

/* What is picked, and at which box the keyboard is, outlasts what comes live: of the rows that are still there. */
let kept = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const boxes = [...event.detail.target.querySelectorAll("[data-picking] [data-pick]")];
  if (!event.detail.shouldSwap || !boxes.length) return;
  const picked = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  const [at, last] = [document.activeElement, lastPicked].map((one) => (boxes.includes(one) ? one.value : null));
  kept = { picked, at, last };
});
document.addEventListener("htmx:afterSwap", () => {
  if (!kept) return;
  for (const box of document.querySelectorAll("[data-picking] [data-pick]")) {
    if (kept.picked.has(box.value)) box.checked = true;
    if (kept.at === box.value) box.focus({ preventScroll: true });
    if (kept.last === box.value) lastPicked = box;
  }
  document.querySelectorAll("[data-picking]").forEach(countPicked);
  kept = null;
});

/* -- keyboard: "/" and other single keys by data-shortcut, Ctrl-K the command bar, "?" the list of them -------------------------------- */

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && byId("command")) {
    event.preventDefault();
    openDialog(byId("command"));
    return;
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "?") return showShortcuts();
  if (goes(event)) return;
  const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
  if (target) {
    event.preventDefault();
    if (target.matches("input, select, textarea")) target.focus();
    else target.click();
  }
});

/* Enter in a field that has one form with others presses the button that is meant. */
document.addEventListener("keydown", (event) => {
  const meant = event.key === "Enter" && !event.isComposing && event.target.dataset?.enter;
  if (!meant) return;
  event.preventDefault();
  byId(meant).click();
});

/* "g" and then the letter of a place: it stays open for a second. */
let going = null;
function goes(event) {
  if (root.dataset.going !== undefined) {
    stopGoing();
    const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (place) {
      event.preventDefault();
      place.click();
    }
    return true;
  }
  if (event.key !== "g" || !document.querySelector("[data-go]")) return false;
  root.dataset.going = "";
  going = setTimeout(stopGoing, 1000);
  return true;
}
function stopGoing() {
  clearTimeout(going);
  setTimeout(() => delete root.dataset.going); // other listeners of this key still know
}

function showShortcuts() {
  const dialog = byId("shortcuts") ?? document.body.appendChild(element("dialog", ""));
  dialog.id = "shortcuts";
  dialog.ariaLabel = words().shortcuts;
  const head = element("header", "");
  const close = element("button", "button quiet icon-only");
  close.dataset.close = "";
  close.ariaLabel = words().close;
  close.append(iconOf("close"));
  head.append(element("h2", "", words().shortcuts), close);
  const list = element("dl", "facts");
  for (const target of document.querySelectorAll("[aria-keyshortcuts]")) {
    const key = element("dt", "");
    key.append(element("kbd", "", target.getAttribute("aria-keyshortcuts")));
    list.append(key, element("dd", "", target.ariaLabel || (target.labels?.[0] ?? target).textContent.trim()));
  }
  for (const place of new Map([...document.querySelectorAll("[data-go]")].map((one) => [one.dataset.go, one])).values()) {
    const keys = element("dt", "");
    keys.append(element("kbd", "", "g"), " ", element("kbd", "", place.dataset.go));
    list.append(keys, element("dd", "", place.textContent.trim()));
  }
  for (const key of document.querySelectorAll("[data-keys] dt")) {
    const shown = element("dt", "");
    shown.append(element("kbd", "", key.textContent));
    list.append(shown, element("dd", "", key.nextElementSibling.textContent));
  }
  const body = element("div", "body");
  body.append(list);
  dialog.replaceChildren(head, body);
  openDialog(dialog);
}

/* -- the command bar (Alpine's CSP build: behaviour is registered here, the page only names it) ---------------------------------------- */

/* Where somebody was last, in this browser only, until they sign out. */
const recent = {
  most: 8,
  all() {
    try {
      const kept = JSON.parse(localStorage.getItem("recent") ?? "[]");
      return Array.isArray(kept) ? kept.filter((one) => /^\/(?!\/)/.test(one?.href) && one?.text) : [];
    } catch {
      return [];
    }
  },
  note() {
    const text = document.querySelector("main h1")?.textContent.trim();
    const href = location.pathname;
    if (!text || !byId("command")?.dataset.recent) return;
    const kept = [{ text: text.slice(0, 80), href }, ...this.all().filter((one) => one.href !== href)].slice(0, this.most);
    try {
      localStorage.setItem("recent", JSON.stringify(kept));
    } catch {
      /* no room, or not allowed: then nothing is remembered */
    }
  },
  options(label) {
    return this.all()
      .filter((one) => one.href !== location.pathname)
      .map(({ text, href }, index) => optionOf(`command-recent-${index}`, text, href, "clock", label));
  },
};

/* An option of the command bar; the server's own (ui.options) look the same. */
function optionOf(id, text, href, icon, sub) {
  const option = element("a", "");
  option.role = "option";
  option.id = id;
  option.tabIndex = -1;
  option.ariaSelected = "false";
  option.setAttribute("href", href);
  option.append(iconOf(icon), element("span", "", text));
  if (sub) option.append(element("span", "sub", sub));
  return option;
}
recent.note();
document.addEventListener("submit", (event) => {
  if (new URL(event.target.action, location.href).pathname.endsWith("/sign-out")) localStorage.removeItem("recent");
});

/* A second click on a button that sends a page sends nothing: the answer to the first is on its way. (The server would not do it
   twice either.) After a while, and on a page that was gone back to, it may be sent again. htmx sends its own forms, and what
   is shown elsewhere (a preview) leaves the page as it is. */
const ONE_CLICK_MS = 4_000;
document.addEventListener("submit", (event) => {
  const form = event.target, target = event.submitter?.formTarget || form.target;
  if (event.defaultPrevented || form.method !== "post" || (target && target !== "_self")) return;
  if (form.dataset.sent !== undefined) return event.preventDefault();
  form.dataset.sent = "";
  setTimeout(() => delete form.dataset.sent, ONE_CLICK_MS);
});
addEventListener("pagehide", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

document.addEventListener("alpine:init", () => {
  window.Alpine.data("command", () => ({
    init() {
      const places = JSON.parse(this.$root.querySelector("[data-places]").textContent);
      this.own = places.map(([text, href, icon, sub], index) => optionOf(`command-${index + 1}`, text, href, icon, sub));
      this.$root.addEventListener("close", () => this.reset());
      this.filter();
    },
    reset() {
      this.input().value = "";
      this.filter();
    },
    input() {
      return this.$root.querySelector("input");
    },
    shown() {
      return [...this.$root.querySelectorAll('[role="option"]:not([hidden])')];
    },
    turn: 0,
    async filter() {
      const turn = ++this.turn;
      const asked = this.input().value.trim();
      const wanted = asked.toLocaleLowerCase();
      const list = this.$root.querySelector('[role="listbox"]');
      list.replaceChildren(...(wanted ? [] : recent.options(this.$root.dataset.recent)), ...this.own);
      // Only by the beginnings of words: a name that somebody types stands inside of many. The server finds the rest.
      for (const option of this.own) option.hidden = !` ${option.textContent.toLocaleLowerCase()}`.includes(` ${wanted}`);
      this.select(0);
      const source = this.$root.dataset.source;
      if (!source || wanted.length < 2) return;
      await new Promise((done) => setTimeout(done, 120)); // who types on is not answered in between
      if (turn !== this.turn) return;
      const answer = await fetch(`${source}?q=${encodeURIComponent(asked)}`, { headers: { "hx-request": "true" } });
      const found = answer.ok ? await answer.text() : "";
      // Only the answer to the question that was asked last: of the same one asked twice, too, one answer is shown.
      if (turn !== this.turn) return;
      const known = new Set(this.shown().map((option) => option.getAttribute("href")));
      const made = document.createElement("template");
      made.innerHTML = found;
      for (const option of made.content.querySelectorAll('[role="option"]')) {
        if (known.has(option.getAttribute("href"))) option.remove();
      }
      list.append(made.content);
      this.select(this.at);
    },
    select(index) {
      const options = this.shown();
      for (const option of this.$root.querySelectorAll('[role="option"]')) option.ariaSelected = String(option === options[index]);
      this.at = index;
      this.$root.querySelector(".none").hidden = options.length > 0;
      if (options[index]) {
        this.input().setAttribute("aria-activedescendant", options[index].id);
        options[index].scrollIntoView({ block: "nearest" });
      } else this.input().removeAttribute("aria-activedescendant");
    },
    keys(event) {
      const options = this.shown();
      const moves = { ArrowDown: 1, ArrowUp: -1 };
      if (event.key in moves && options.length) {
        event.preventDefault();
        this.select((this.at + moves[event.key] + options.length) % options.length);
      } else if (event.key === "Enter" && options[this.at]) {
        event.preventDefault();
        options[this.at].click();
      }
    },
  }));
});

/* -- plots: an ECharts option beside the place; colours and fonts are the theme's ------------------------------------------------------- */

let engine = null;
const plots = new Map();

function loadEngine(source) {
  engine ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => resolve(window.echarts);
    script.onerror = reject;
    document.head.append(script);
  });
  return engine;
}

function tokens(place) {
  const probe = element("span", "");
  probe.hidden = true;
  place.append(probe);
  const read = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    series: [1, 2, 3, 4, 5, 6].map((i) => read(`--plot-${i}`)),
    text: read("--text"), muted: read("--muted"), line: read("--line"), raised: read("--raised"),
  };
  probe.remove();
  return found;
}

function themed(option, place) {
  const { series, text, muted, line, raised } = tokens(place);
  const written = new Intl.NumberFormat(root.lang || "en", { maximumFractionDigits: 2 });
  const number = (value) => (typeof value === "number" ? written.format(value) : value);
  const axis = (given) => {
    const base = { axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: muted, formatter: given?.type === "value" ? number : undefined }, splitLine: { lineStyle: { color: line } }, nameTextStyle: { color: muted } };
    return Array.isArray(given) ? given.map((one) => ({ ...base, ...one })) : given && { ...base, ...given };
  };
  return {
    color: series,
    backgroundColor: "transparent",
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    grid: { left: 4, right: 8, top: 16, bottom: 4, containLabel: true, ...(option.legend ? { top: 40 } : {}) },
    textStyle: { fontFamily: getComputedStyle(place).fontFamily, color: text },
    ...option,
    legend: option.legend && { icon: "circle", left: 0, top: 0, bottom: "auto", itemWidth: 10, itemHeight: 10, itemGap: 16, textStyle: { color: text }, ...option.legend },
    // richText: the tooltip as HTML would need style attributes, which the Content-Security-Policy forbids.
    tooltip: { trigger: "axis", valueFormatter: number, renderMode: "richText", backgroundColor: raised, borderColor: line, textStyle: { color: text }, ...option.tooltip },
    xAxis: axis(option.xAxis),
    yAxis: axis(option.yAxis),
  };
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) draw(target);
}, { rootMargin: "200px" });
const sized = new ResizeObserver((entries) => entries.forEach(({ target }) => plots.get(target)?.resize()));

async function draw(place) {
  seen.unobserve(place);
  if (plots.has(place)) return;
  const echarts = await loadEngine(place.dataset.plotSource);
  const source = place.querySelector('script[type="application/json"]');
  if (!source || plots.has(place)) return;
  const option = JSON.parse(source.textContent);
  const canvas = element("div", "plot");
  place.append(canvas);
  const plot = echarts.init(canvas);
  plot.setOption(themed(option, place));
  plots.set(place, { option, plot, canvas, resize: () => plot.resize() });
  sized.observe(place);
}

function drawPlots(within, again = false) {
  for (const [place, { plot, option }] of plots) {
    if (!place.isConnected) {
      plot.dispose();
      sized.unobserve(place);
      plots.delete(place);
    } else if (again) plot.setOption(themed(option, place), true);
  }
  for (const place of within.querySelectorAll("[data-plot]")) if (!plots.has(place)) seen.observe(place);
}

document.addEventListener("htmx:load", (event) => drawPlots(event.detail.elt.parentElement ?? document));
drawPlots(document);

/* -- the till's connection ------------------------------------------------------------------------------------------------------------- */

function showConnection() {
  for (const place of document.querySelectorAll("[data-connection]")) {
    place.classList.toggle("on", navigator.onLine);
    place.textContent = navigator.onLine ? place.dataset.on : place.dataset.off;
  }
}
addEventListener("online", showConnection);
addEventListener("offline", showConnection);
showConnection();
