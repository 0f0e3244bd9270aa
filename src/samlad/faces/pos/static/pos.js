/* The till beside samlad.js: the scanner's field keeps the focus, function keys act, stock that moves is seen. */

import "./offline/beside.js";

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

/* Stock that moves anywhere, and what somebody else does to the cart on the ticket, refreshes the ticket, unless a line
   of it is being changed. Which cart is on the ticket changes without a new page; the till then goes on listening where
   it was. */
let base = document.querySelector("[data-live]")?.dataset.live;
let live = null;
function listen() {
  const topic = document.getElementById("ticket")?.dataset.topic ?? "";
  if (live && live.topic === topic) return;
  live?.source.close();
  const source = new EventSource(topic ? `${base}&topic=${topic}` : base);
  for (const [name, wait] of [["stock", 2000], ["cart", 200], ["reset", 200]]) {
    let due = 0; // what comes while one is due is seen with it: the last event is never lost
    source.addEventListener(name, (event) => {
      base = base.replace(/after=[^&]*/, `after=${event.lastEventId}`);
      due ||= setTimeout(() => {
        due = 0;
        if (!document.activeElement?.closest("#ticket")) document.body.dispatchEvent(new Event("stock-moved"));
      }, wait);
    });
  }
  live = { topic, source };
}
if (base) {
  listen();
  document.addEventListener("htmx:afterSettle", listen);
}
