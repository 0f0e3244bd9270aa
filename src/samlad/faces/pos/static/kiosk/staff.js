/* Staff at a kiosk: they look at what not everybody may buy, answer a call, and take the kiosk back. By badge or PIN, as at a till without
   network (`offline/who.js`). `kiosk` is main.js: {db, day, code, base, post(path, fields), checked(person), helped(), taken()}. */

import { byId, fill, say, show } from "../offline/screen.js";
import { find, known } from "../offline/who.js";

let kiosk, chosen = null, isCheck = false, secret = null;

export function begin(host) {
  kiosk = host;
  byId("clerk-list").addEventListener("click", (event) => choose(event.target.closest("[data-clerk]")?.dataset.clerk));
  byId("clerk-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId("clerk-secret"), text = field.value.trim();
    field.value = "";
    if (text) go(text);
  });
  byId("staff-open").addEventListener("click", () => open(false));
  byId("staff-helped").addEventListener("click", async () => {
    await kiosk.helped();
    byId("staff-box").close();
  });
  byId("leave").addEventListener("click", leave);
  byId("staff-box").addEventListener("close", () => !byId("staff-box").open && (secret = null)); // it may be told of when it is open again
}

/* `check`: to look at a customer, for what is in the basket; else for whatever staff want. */
export function open(check) {
  isCheck = check;
  secret = null;
  byId("staff-why").textContent = check ? say("staff-check-note") : "";
  byId("staff-box-title").textContent = say(check ? "staff-check" : "staff");
  show("staff-ask", true);
  show("staff-panel", false);
  show("take-out", check);
  byId("clerk-list").replaceChildren(
    ...known(kiosk.day).filter(({ pin }) => pin).map(({ id, name }) => fill("clerk-tile", { button: (button) => Object.assign(button, { textContent: name }).setAttribute("data-clerk", id) })),
  );
  choose(null);
  if (!byId("staff-box").open) byId("staff-box").showModal();
  byId("clerk-secret").focus();
}

function choose(id) {
  if (id === undefined) return;
  chosen = id;
  const person = known(kiosk.day).find((each) => each.id === id);
  for (const button of byId("clerk-list").querySelectorAll("[data-clerk]")) button.setAttribute("aria-pressed", String(button.dataset.clerk === id));
  byId("clerk-label").textContent = person ? say("pin-of", { name: person.name }) : say("badge");
  byId("clerk-wrong").textContent = "";
  byId("clerk-secret").focus();
}

async function go(text) {
  const { person, wait } = kiosk.day ? await find(kiosk.db, kiosk.day, chosen, text) : {};
  if (!person) return void (byId("clerk-wrong").textContent = wait ? say("clerk-wait", { n: Math.ceil(wait / 1_000) }) : say("clerk-wrong"));
  if (isCheck) {
    byId("staff-box").close();
    return kiosk.checked(person);
  }
  secret = chosen && person.id === chosen ? { who: chosen, pin: text } : { badge: text };
  byId("staff-name").textContent = person.name;
  byId("leave-wrong").textContent = "";
  show("staff-ask", false);
  show("staff-panel", true);
  byId("staff-helped").focus();
}

async function leave() {
  if (secret && (await kiosk.post("leave", secret))) return kiosk.taken();
  byId("leave-wrong").textContent = say("leave-not");
}
