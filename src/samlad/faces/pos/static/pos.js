/* The till beside samlad.js: the scanner's field keeps the focus, function keys act, stock that moves is seen. */

import "./offline/beside.js";

if (document.querySelector("[data-work-place]")) import("./work/beside.js");

const code = () => document.getElementById("code");
const isTyping = (element) => element instanceof HTMLElement && element.matches("input, textarea, select") && element.id !== "code";

/* A person who types is shown what fits; a scanner is quicker than that and ends with Enter. */
let looking = 0;
document.addEventListener("input", (event) => {
  if (event.target !== code()) return;
  clearTimeout(looking);
  looking = setTimeout(() => event.target.dispatchEvent(new Event("look-up")), 300);
});

/* What Enter sends leaves the field free for the next code before the answer is there. */
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target.id !== "scan") return;
  clearTimeout(looking);
  code().value = "";
});
document.addEventListener("htmx:afterSettle", () => {
  const field = code();
  if (field && !isTyping(document.activeElement)) field.focus({ preventScroll: true });
});

/* Keys typed while nothing has the focus belong to the scanner. */
document.addEventListener("keydown", (event) => {
  const named = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (named && !(event.key.length === 1 && isTyping(event.target)) && !(event.key === "Enter" && event.target.closest("a, button, input"))) {
    event.preventDefault();
    if (named.matches("input")) named.select();
    else named.click();
    return;
  }
  const field = code();
  const isFree = document.activeElement === document.body || document.activeElement?.id === "main";
  if (field && isFree && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) field.focus();
});

/* Stock that moves anywhere, and what somebody else does to the cart on the ticket, refreshes the ticket. A refresh gives
   way: while something on the ticket has the focus or is being sent it waits, and one whose answer comes then is not shown,
   because what is pressed would be gone under the finger, and an answer would find nothing to be shown in. Which cart is on
   the ticket changes without a new page; the till then goes on listening where it was. */
const sent = new Set();
const isBusy = () => sent.size > 0 || Boolean(document.activeElement?.closest("#ticket"));
let refreshing = 0;
let due = Infinity;
function refresh(wait) {
  const at = Date.now() + wait;
  if (at >= due) return; // what comes meanwhile is seen with it
  clearTimeout(refreshing);
  due = at;
  refreshing = setTimeout(() => {
    due = Infinity;
    if (isBusy()) refresh(500);
    else document.body.dispatchEvent(new Event("stock-moved"));
  }, wait);
}
document.addEventListener("htmx:beforeSend", ({ detail: { xhr, requestConfig } }) => {
  if (requestConfig.verb === "get") return;
  sent.add(xhr);
  xhr.addEventListener("loadend", () => sent.delete(xhr));
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig.triggeringEvent?.type !== "stock-moved" || !isBusy()) return;
  detail.shouldSwap = false;
  refresh(500);
});

let base = document.querySelector("[data-live]")?.dataset.live;
let live = null;
function listen() {
  const topic = document.getElementById("ticket")?.dataset.topic ?? "";
  if (live && live.topic === topic) return;
  live?.source.close();
  const source = new EventSource(topic ? `${base}&topic=${topic}` : base);
  for (const [name, wait] of [["stock", 2000], ["cart", 200], ["reset", 200]]) {
    source.addEventListener(name, (event) => {
      base = base.replace(/after=[^&]*/, `after=${event.lastEventId}`);
      refresh(wait);
    });
  }
  live = { topic, source };
}
if (base) {
  listen();
  document.addEventListener("htmx:afterSettle", listen);
}
