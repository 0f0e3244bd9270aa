/* One dialog for what a clerk does now and then: fields, rows to choose from, one button. */

import { byId, fill, say } from "./screen.js";

let now = null;

/* what: {title, note, fields: [{name, label, value, mode}], rows: (values) => [{value, text, about}], act, label, pick}. `rows` is asked anew
   when something is typed; one whose value is null is only read. `act(values)` and `pick(value, values)` close the dialog unless they answer a text, which is what is wrong. */
export function open(what) {
  now = what;
  byId("panel-title").textContent = what.title;
  byId("panel-note").textContent = what.note ?? "";
  byId("panel-wrong").textContent = "";
  byId("panel-fields").replaceChildren(
    ...(what.fields ?? []).map(({ name, label, value = "", mode = "text" }) =>
      fill("panel-field", {
        label: (place) => Object.assign(place, { textContent: label, htmlFor: `panel-${name}` }),
        input: (input) => Object.assign(input, { id: `panel-${name}`, name, value, inputMode: mode }),
      }),
    ),
  );
  byId("panel-act").hidden = !what.act;
  byId("panel-act").textContent = what.label ?? say("do-it");
  showRows();
  if (!byId("panel").open) byId("panel").showModal();
  byId("panel-fields").querySelector("input")?.focus();
}

export const close = () => byId("panel").close();

const values = () => Object.fromEntries([...byId("panel-fields").querySelectorAll("input")].map((input) => [input.name, input.value.trim()]));

function row(button, value, text) {
  if (value === null) button.replaceWith(Object.assign(document.createElement("span"), { textContent: text }));
  else Object.assign(button, { textContent: text }).setAttribute("data-value", value);
}

async function showRows() {
  const found = now.rows ? await now.rows(values()) : [];
  byId("panel-rows").replaceChildren(
    ...found.map(({ value, text, about = "" }) =>
      fill("panel-row", { button: (button) => row(button, value, text), about: about || null }),
    ),
  );
}

/* An act may open the next dialog in this one: that one stays. */
async function done(act) {
  const what = now, wrong = await act(what);
  if (typeof wrong === "string") byId("panel-wrong").textContent = wrong;
  else if (now === what) close();
}

export function listen() {
  byId("panel-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (now.act) done((what) => what.act(values()));
  });
  byId("panel-fields").addEventListener("input", () => now.rows && showRows());
  byId("panel-rows").addEventListener("click", (event) => {
    const value = event.target.closest("[data-value]")?.dataset.value;
    if (value !== undefined) done((what) => what.pick(value, values()));
  });
}
