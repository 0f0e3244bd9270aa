/* A card at the kiosk. The server wakes the store's terminal and asks it how it stands; nothing that is touched here says that it was paid.

   Before anybody is asked, the payment's id is on the ticket, on the disk. So an answer that was lost, or a power cut in the middle, is asked
   about again: what the terminal had accepted by then is sold, everything else is called off. Payments that nobody waits for any more are
   in `left` of the database, until the server has been told. */

import { ask, meta, write } from "../offline/database.js";
import * as journal from "../offline/journal.js";
import { Away, here, readJson, request } from "../offline/server.js";
import { byId, money, say } from "../offline/screen.js";

const LOOK_MS = 1_000, AGAIN_MS = 10_000, PATIENCE_MS = 30_000; // the server itself waits for a terminal that is silent
let kiosk, followed = null, settling = null;

/* `host` is main.js: {db, code, base, currency, sold(tenders), entryOf(ticket, tenders), recorded(entry), back(state), refresh(), waits()}. */
export function begin(host) {
  kiosk = host;
  byId("card-not").addEventListener("click", () => leave());
  byId("card").addEventListener("close", () => !byId("card").open && leave()); // Escape, too
}

const tenderOf = ({ payment, amount }) => ({ kind: "card", amount, payment });

/* Ask the terminal for an amount; on with `sold`, or with `back` and why not. `note(card)` writes the payment onto the ticket. */
export async function pay(ticket, amount, note) {
  const card = { ticket, payment: crypto.randomUUID(), amount };
  await note(card);
  followed = card;
  byId("card-due").textContent = money(amount);
  byId("card-note").textContent = say("card-note", { amount: money(amount) });
  byId("card-state").textContent = say("card-waking");
  byId("card").showModal();
  await follow(card);
}

async function follow(card) {
  let isBegun = false;
  for (; followed === card; await pause()) {
    let state;
    try {
      state = isBegun ? await look(card) : await wake(card);
      isBegun = true;
    } catch (error) {
      if (!(error instanceof Away)) console.warn("the terminal could not be asked", error);
      state = error instanceof Away ? "away" : "failed";
    }
    if (followed !== card) return; // called off meanwhile
    if (state === "away" || state === "waiting") {
      byId("card-state").textContent = say(`card-${state}`);
      continue;
    }
    followed = null;
    if (state === "accepted" && (await kiosk.sold([tenderOf(card)]))) return;
    close();
    await give(card);
    if (state !== "accepted") kiosk.back(state);
    return settle();
  }
}

/* What the terminal said is over with it. */
function close() {
  byId("card-state").textContent = "";
  if (byId("card").open) byId("card").close();
}

const pause = () => new Promise((on) => setTimeout(on, LOOK_MS));

/* The customer does not pay so after all. */
async function leave() {
  const card = followed;
  if (!card) return;
  followed = null;
  close();
  await give(card);
  await settle();
}

/* Nobody waits here any more: what the terminal has accepted by now is sold. */
export function away() {
  followed = null;
}

/* A payment goes from the ticket into `left`. What cannot be written (a full disk) is told at least. */
async function give(card) {
  try {
    await write(kiosk.db, ["meta"], async (transaction) => {
      const store = transaction.objectStore("meta"), now = await ask(store.get("ticket"));
      if (now?.card?.payment === card.payment) await ask(store.put({ ...now, card: null, version: now.version + 1 }, "ticket"));
      await add(store, { ...card, wish: "leave" });
    });
    await kiosk.refresh();
  } catch (error) {
    console.warn("a payment that was called off could not be written down", error);
    await leaveIt(card).catch(() => {});
  }
}

const add = async (store, one) => ask(store.put([...((await ask(store.get("left"))) ?? []), one], "left"));

/* The ticket that is there when the kiosk begins, or that nobody wants any more: whoever stood there is gone, and so is it. Was its
   payment under way, that is settled. One transaction. */
export const clear = (db, fresh) =>
  write(db, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta"), ticket = await ask(store.get("ticket"));
    if (ticket?.card) await add(store, { ...ticket.card, wish: "settle", whole: ticket });
    const next = { ...fresh(), version: 1 };
    await ask(store.put(next, "ticket"));
    return next;
  });

/* How many payments wait to be settled: for staff, who must know before the device is put away. */
export const unsettled = async (db) => ((await meta(db, "left")) ?? []).length;

/* Everything in `left`, as far as the server can be asked. */
export function settle() {
  settling ??= (async () => {
    try {
      for (const one of (await meta(kiosk.db, "left")) ?? []) await settleOne(one);
    } catch (error) {
      if (!(error instanceof Away)) console.warn("payments of before are not settled yet", error);
      setTimeout(settle, AGAIN_MS);
    } finally {
      settling = null;
      kiosk.waits();
    }
  })();
  return settling;
}

async function settleOne(one) {
  const state = one.wish === "settle" ? await look(one) : "waiting";
  if (state === "accepted") return sellLate(one);
  if (state === "waiting") await leaveIt(one);
  await forget(one);
}

/* The terminal had accepted it, and the sale was not written down: it is now, once, with what was on the ticket. */
async function sellLate(one) {
  try {
    const make = await kiosk.entryOf(one.whole, [...one.whole.tenders, tenderOf(one)]);
    kiosk.recorded(await journal.note(kiosk.db, make, (store) => without(store, one)));
  } catch (error) {
    if (error?.name !== "ConstraintError") throw error;
    await forget(one); // another window has written it
  }
}

const forget = (one) => write(kiosk.db, ["meta"], (transaction) => without(transaction.objectStore("meta"), one));

async function without(store, one) {
  const left = (await ask(store.get("left"))) ?? [];
  return ask(store.put(left.filter(({ payment }) => payment !== one.payment), "left"));
}

/* -- what is asked ---------------------------------------------------------------------------------------------------------- */

const wake = ({ ticket, payment, amount }) => post("", { ticket, payment, amount, currency: kiosk.currency });
const look = async ({ ticket, payment }) => said(await request(`${kiosk.base}/card/${ticket}/${payment}`, {}, PATIENCE_MS));
const leaveIt = ({ ticket, payment }) => post(`/${ticket}/${payment}/leave`, {});

async function post(path, fields) {
  const { csrf } = await here(`/pos/${kiosk.code}/offline/here`);
  const body = new URLSearchParams({ sent: "1", ...fields });
  return said(await request(`${kiosk.base}/card${path}`, { method: "POST", headers: { "X-CSRF-Token": csrf }, body }, PATIENCE_MS));
}

/* "none": the server never heard of it; "failed": it will not have it. Whatever else it says is no answer: it is asked again. */
async function said(answer) {
  if (answer.ok) return (await readJson(answer)).state;
  if (answer.status === 404) return "none";
  if (answer.status === 409 || answer.status === 422) return "failed";
  throw new Away("network");
}
