/* Names to tap, and the lock, on the page without network. `till` is main.js: {code, db, day, clerk, changed(clerk)}. */

import { watch } from "./idle.js";
import { announce, byId, fill, say, show } from "./screen.js";
import { canOpen, find, isLocked, known, put, whyNotPin } from "./who.js";

let till, chosen = null, isOpen = false;

export function begin(host) {
  till = host;
  byId("who").addEventListener("click", () => (known(till.day).length ? open() : announce(say("clerks-none"), "warning")));
  byId("clerk-list").addEventListener("click", (event) => choose(event.target.closest("[data-clerk]")?.dataset.clerk));
  byId("clerk-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId("clerk-secret"), text = field.value.trim();
    field.value = "";
    go(text);
  });
  byId("clerk-lock").addEventListener("click", lock);
  byId("clerk-back").addEventListener("click", close);
  watch(till.code, () => till.day?.lock_seconds ?? 0, () => canOpen(till.day) && !isLocked(till.clerk, till.day) && lock());
}

async function lock() {
  await put(till.db, null);
  await till.changed(null);
}

export function look() {
  byId("clerk").textContent = till.clerk?.name ?? "";
  byId("who").hidden = !known(till.day).length;
  if (isLocked(till.clerk, till.day)) open();
  else if (isOpen && !byId("clerk-back").dataset.asked) close();
}

function open() {
  const locked = isLocked(till.clerk, till.day);
  if (!isOpen) choose(null);
  isOpen = true;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close(); // what is on the ticket stays there
  show("desk-in", false);
  show("done", false);
  show("clerks", true);
  show("clerk-locked", locked);
  show("clerk-back", !locked);
  show("clerk-lock", !locked && canOpen(till.day)); // nobody could open it again
  byId("clerk-back").dataset.asked = locked ? "" : "1";
  byId("clerk-list").replaceChildren(
    ...known(till.day).map(({ id, name }) =>
      fill("clerk-tile", {
        button: (button) => Object.assign(button, { textContent: name }).setAttribute("data-clerk", id),
      }),
    ),
  );
  byId("clerk-secret").focus();
}

function close() {
  isOpen = false;
  show("clerks", false);
  show("desk-in", true);
  show("desk", true);
  byId("code").focus();
}

function choose(id) {
  if (id === undefined) return;
  chosen = id;
  const person = known(till.day).find((each) => each.id === id);
  for (const button of byId("clerk-list").querySelectorAll("[data-clerk]")) button.setAttribute("aria-pressed", String(button.dataset.clerk === id));
  const why = whyNotPin(person, till.day);
  byId("clerk-label").textContent = person && !why ? say("pin-of", { name: person.name }) : say("badge");
  byId("clerk-wrong").textContent = why ? say(why, { name: person.name }) : "";
  byId("clerk-secret").focus();
}

async function go(text) {
  const { person, wait, why } = await find(till.db, till.day, chosen, text);
  if (!person) {
    const { name } = known(till.day).find((each) => each.id === chosen) ?? {};
    byId("clerk-wrong").textContent = why ? say(why, { name }) : wait ? say("clerk-wait", { n: Math.ceil(wait / 1_000) }) : say("clerk-wrong");
    return;
  }
  await put(till.db, person);
  close();
  await till.changed({ id: person.id, name: person.name });
  announce(say("clerk-on", { name: person.name }), "success");
}
