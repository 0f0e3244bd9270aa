/* The order desk: a panel beside the list where there is room, the keyboard, and fields that belong to the chosen act.
   Without this file rows lead to the order's own page, and every form works. */

const wide = matchMedia("(min-width: 1100px)");
const desk = () => document.querySelector("[data-desk]");
const rows = () => [...document.querySelectorAll("#desk tr[data-row]")];
const panel = () => document.getElementById("panel");
let current = null; // id of the row that the keyboard is at: rows are replaced when something happens

/* -- the panel: its order is in the address, so that a reload, a bookmark and Back show it ------------------------------------ */

function addressWith(order) {
  const address = new URL(location.href);
  if (order) address.searchParams.set("open", order);
  else address.searchParams.delete("open");
  return address;
}

function show(order, { push = true } = {}) {
  if (!order) {
    panel().replaceChildren();
    desk().classList.remove("has-panel");
  } else {
    desk().classList.add("has-panel");
    window.htmx.ajax("GET", `/admin/orders/${order}/panel`, { target: "#panel", swap: "innerHTML" });
  }
  if (push) history.pushState({ desk: true }, "", addressWith(order));
  mark(order ?? current);
}

addEventListener("popstate", () => {
  if (desk()) show(new URL(location.href).searchParams.get("open"), { push: false });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-row-link]");
  if (link && wide.matches && !(event.ctrlKey || event.metaKey || event.shiftKey || event.button)) {
    event.preventDefault();
    show(link.closest("[data-row]").dataset.row);
  } else if (event.target.closest("[data-panel-close]")) close();
});

function close() {
  show(null);
  row(current)?.querySelector("[data-row-link]").focus();
}

/* -- the keyboard ------------------------------------------------------------------------------------------------------------- */

const row = (id) => rows().find((one) => one.dataset.row === id);

function mark(id) {
  current = id;
  for (const one of rows()) one.toggleAttribute("data-current", one.dataset.row === id);
}

function move(step, choosing) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((one) => one.dataset.row === current);
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  if (choosing) for (const one of [all[at], next]) if (one) choose(one, true);
  mark(next.dataset.row);
  next.querySelector("[data-row-link]").focus();
  next.scrollIntoView({ block: "nearest" });
  if (panel().firstElementChild && wide.matches) show(current);
}

function choose(one, on) {
  const box = one.querySelector("[data-pick]");
  box.checked = on ?? !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (!desk() || typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (document.documentElement.dataset.going !== undefined) return; // the second key after g
  const acts = {
    j: () => move(1, false),
    k: () => move(-1, false),
    J: () => move(1, true),
    K: () => move(-1, true),
    x: () => row(current) && choose(row(current)),
    Escape: () => panel().firstElementChild && close(),
  };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("focusin", (event) => {
  const here = event.target.closest?.("#desk tr[data-row]");
  if (here) mark(here.dataset.row);
});

/* Where the keyboard is outlasts what comes live (what is chosen does in every list). */
document.addEventListener("htmx:afterSettle", () => current && mark(current));

/* -- fields of an act -------------------------------------------------------------------------------------------------------- */

function fit() {
  const act = document.querySelector("#bulk-form [name=act]")?.value;
  for (const field of document.querySelectorAll("#bulk-form [data-act]")) field.hidden = !field.dataset.act.split(" ").includes(act);
}
document.addEventListener("change", (event) => event.target.matches("#bulk-form [name=act]") && fit());
fit();
mark(new URL(location.href).searchParams.get("open"));
