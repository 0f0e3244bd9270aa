/* The open ticket. It is in the database, not in the page: whatever happens to the page, it is there again, and two tabs see the
   same one. Each change is one transaction. Its id becomes the sale's, so that a ticket can be sold once only. */

import { ask, write } from "./database.js";
import { atMost, withOne } from "./lots.js";

export class Changed extends Error {}

export const fresh = () => ({ id: crypto.randomUUID(), version: 0, lines: [], tenders: [], cart: null, customer: null, codes: [], discounts: [], allowed_by: null, tip: 0, cards: [], checked_by: null });

const changed = (database, work) =>
  write(database, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta");
    const ticket = { ...fresh(), ...(await ask(store.get("ticket"))) };
    const next = await work(ticket, store);
    if (!next) return ticket;
    const kept = { ...next, version: ticket.version + 1 };
    await ask(store.put(kept, "ticket"));
    return kept;
  });

export const current = (database) => changed(database, (ticket) => (ticket.version ? null : ticket));

export const MOST = 9_999;

/* `one`: which piece it is, or of which lot (`lots.js`). Throws Twice. */
export const add = (database, line, more = 1, one = null) =>
  changed(database, (ticket) => {
    const known = ticket.lines.findIndex((each) => each.variant === line.variant);
    const quantity = Math.min((ticket.lines[known]?.quantity ?? 0) + more, MOST);
    const rest = ticket.lines.filter((_, index) => index !== known);
    const lots = atMost(withOne(ticket.lines[known]?.lots, one, more), quantity);
    return { ...ticket, lines: [...rest, { ...line, quantity, lots }] };
  });

/* 0 takes it off. */
export const setQuantity = (database, variant, quantity) =>
  changed(database, (ticket) => ({
    ...ticket,
    lines: ticket.lines
      .map((line) => (line.variant === variant ? { ...line, quantity, lots: lotsAt(line, quantity) } : line))
      .filter((line) => line.quantity > 0),
  }));

/* What is weighed again is of the lot that it was of; of pieces only those are of one that were scanned. */
const lotsAt = ({ sold_by = "piece", lots = [], quantity: before }, quantity) =>
  sold_by !== "piece" && lots.length === 1 && lots[0].units === before ? [{ ...lots[0], units: quantity }].filter(({ units }) => units) : atMost(lots, quantity);

/* A part is paid; the rest is still to pay. */
export const tender = (database, version, paid) =>
  changed(database, (ticket) => {
    if (ticket.version !== version) throw new Changed();
    return { ...ticket, tenders: [...ticket.tenders, paid] };
  });

/* Whose it is, the codes that were typed, what is taken off by hand. */
export const set = (database, fields) => changed(database, (ticket) => ({ ...ticket, ...fields }));

/* Put it aside and begin a new one. */
export const park = (database, label) => swap(database, null, label);

export const parked = async (database) =>
  (await ask(database.transaction("parked").objectStore("parked").getAll())).sort((a, b) => b.parked_at - a.parked_at);

/* Go on with a parked one; what is on the ticket is parked instead. It is taken up once, in whatever window. */
export const resume = (database, id) => swap(database, id, null);

const swap = (database, id, label) =>
  write(database, ["meta", "parked"], async (transaction) => {
    const store = transaction.objectStore("meta"), aside = transaction.objectStore("parked");
    const [ticket, wanted] = await Promise.all([ask(store.get("ticket")), id ? ask(aside.get(id)) : fresh()]);
    if (!wanted) throw new Changed();
    if (ticket?.lines.length || ticket?.cards?.length) await ask(aside.put({ ...ticket, label, parked_at: Date.now() }));
    if (id) await ask(aside.delete(id));
    const { label: _, parked_at: __, ...next } = wanted;
    const kept = { ...next, version: next.version + 1 };
    await ask(store.put(kept, "ticket"));
    return kept;
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
