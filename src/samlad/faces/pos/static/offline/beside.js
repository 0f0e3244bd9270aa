/* On the till's online pages: everything is made ready for when the network fails, what is unsent is counted and sent, the ticket
   is copied as it changes. When the network fails the till goes on without it by itself. */

import * as database from "./database.js";
import { watch } from "./idle.js";
import * as journal from "./journal.js";
import { Sender } from "./sender.js";
import { hasShell, keepShell, registered } from "./shell.js";

const frame = document.querySelector("[data-store]");
const code = frame?.dataset.store;
let db, sender;

async function showCount() {
  const count = await journal.count(db);
  for (const place of document.querySelectorAll("[data-unsent]")) {
    place.dataset.unsent = count;
    place.classList.toggle("warning", count > 0);
    place.querySelector("[data-count]").textContent = count;
  }
}

/* The lines of the ticket, so that it is still there when the network is not. On the page of a receipt nothing is on it. */
async function copyTicket() {
  const ticket = document.getElementById("ticket");
  const isDone = document.querySelector("[data-sold]");
  if (!ticket && !isDone) return;
  const lines = [...(ticket?.querySelectorAll("[data-variant]") ?? [])].map(({ dataset }) => ({
    variant: dataset.variant,
    sku: dataset.sku,
    title: dataset.title,
    options: dataset.options,
    price: Number(dataset.price),
    quantity: Number(dataset.quantity),
    sold_by: dataset.soldBy ?? "piece",
    lots: JSON.parse(dataset.lots ?? "[]"),
  }));
  await database.keep(db, "online", { cart: ticket?.dataset.cart || null, lines, at: Date.now() });
}

/* Away from the network, if the till can open without it. */
async function goOffline() {
  if (frame.dataset.leaving === undefined && navigator.serviceWorker?.controller && (await hasShell(code)) && (await database.meta(db, "pack"))) {
    frame.dataset.leaving = "";
    location.assign(`/pos/${code}/offline`);
  }
}

/* Nobody has touched it for long: locked here at once, and there as soon as it hears of it. */
async function lockNow() {
  await database.keep(db, "on", { id: null, name: "", over: (await database.meta(db, "clerk"))?.id ?? null });
  sender.wake();
}

async function begin() {
  db = await database.open(code);
  const device = await database.device(db, code);
  sender = new Sender(db, code, device.id);
  sender.addEventListener("journal", showCount);
  sender.addEventListener("sending", showCount);
  sender.addEventListener("away", () => sender.state === "network" && sender.tries > 1 && goOffline());
  sender.addEventListener("help", ({ detail }) => {
    for (const place of document.querySelectorAll("[data-help]")) {
      place.hidden = !detail.length;
      place.querySelector("[data-help-where]").textContent = detail.join(", ");
    }
  });
  const noteGoods = async () => (frame.dataset.goods = String(Boolean(await database.meta(db, "pack"))));
  sender.addEventListener("pack", noteGoods);
  const isAtNames = location.pathname.endsWith("/clerks");
  sender.addEventListener("clerk", async () => !isAtNames && (await database.meta(db, "clerk")) === null && location.assign(`/pos/${code}/clerks`));
  watch(code, () => (isAtNames ? 0 : Number(frame.dataset.lockSeconds)), lockNow);
  addEventListener("offline", goOffline);
  document.addEventListener("htmx:sendError", goOffline);
  document.addEventListener("htmx:timeout", goOffline);
  document.addEventListener("htmx:afterSettle", copyTicket);
  await copyTicket();
  await Promise.all([showCount(), noteGoods()]);
  navigator.storage?.persist?.();
  sender.run();
  await registered();
  frame.dataset.kept = String(await keepShell(code));
}

if (code && "indexedDB" in window && "locks" in navigator) begin().catch((error) => console.warn("the till is not ready to go offline", error));
