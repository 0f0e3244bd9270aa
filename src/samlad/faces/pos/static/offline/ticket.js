/* The open ticket. It is in the database, not in the page: whatever happens to the page, it is there again, and two tabs see the
   same one. Each change is one transaction. Its id becomes the sale's, so that a ticket can be sold once only. */

import { ask, write } from "./database.js";

export class Changed extends Error {}

const fresh = () => ({ id: crypto.randomUUID(), version: 0, lines: [], tenders: [], cart: null });

const changed = (database, work) =>
  write(database, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta");
    const ticket = (await ask(store.get("ticket"))) ?? fresh();
    const next = await work(ticket, store);
    if (!next) return ticket;
    const kept = { ...next, version: ticket.version + 1 };
    await ask(store.put(kept, "ticket"));
    return kept;
  });

export const current = (database) => changed(database, (ticket) => (ticket.version ? null : ticket));

export const add = (database, line) =>
  changed(database, (ticket) => {
    const known = ticket.lines.findIndex((each) => each.variant === line.variant);
    const quantity = Math.min((ticket.lines[known]?.quantity ?? 0) + 1, 9999);
    const rest = ticket.lines.filter((_, index) => index !== known);
    return { ...ticket, lines: [...rest, { ...line, quantity }] };
  });

/* 0 takes it off. */
export const setQuantity = (database, variant, quantity) =>
  changed(database, (ticket) => ({
    ...ticket,
    lines: ticket.lines
      .map((line) => (line.variant === variant ? { ...line, quantity } : line))
      .filter((line) => line.quantity > 0),
  }));

/* A part is paid; the rest is still to pay. */
export const tender = (database, version, paid) =>
  changed(database, (ticket) => {
    if (ticket.version !== version) throw new Changed();
    return { ...ticket, tenders: [...ticket.tenders, paid] };
  });

export const clear = (database) => changed(database, () => fresh());

/* The ticket of the online till, when the network has failed and nothing is on this one. It is taken once. */
export const takeOver = (database, freshest, complete) =>
  changed(database, async (ticket, store) => {
    const online = await ask(store.get("online"));
    if (!online?.lines.length || ticket.lines.length || online.at < freshest) return null;
    await ask(store.delete("online"));
    return { ...ticket, lines: online.lines.map(complete), cart: online.cart };
  });
