/* The journal: a sale is in it, on the disk, before anything says that it is sold. Nothing leaves it before the server has it. */

import { ask, meta, outside, write } from "./database.js";
import { Changed } from "./ticket.js";

const KEEP_DAYS = 35;
export const UNSENT = "unsent", SENT = "sent", REFUSED = "refused";

/* Sell the ticket as the clerk saw it; `make(sequence, till, ticket)` answers the entry. One transaction: the entry is in the
   journal and the ticket is gone, or nothing has happened.

   Throws Changed when the ticket is another by now (another tab), and what IndexedDB throws when it cannot be written. */
export const sell = (database, seen, make) =>
  write(database, ["journal", "meta"], async (transaction) => {
    const store = transaction.objectStore("meta");
    const [ticket, device] = await Promise.all([ask(store.get("ticket")), ask(store.get("device"))]);
    if (ticket?.id !== seen.id || ticket.version !== seen.version) throw new Changed();
    const entry = await add(transaction, device, (sequence, till) => make(sequence, till, ticket));
    await ask(store.delete("ticket"));
    return entry;
  });

/* Write down something else that was done: `make(sequence, till)` answers the entry; `also(meta)` changes what goes with it. */
export const note = (database, make, also = () => {}) =>
  write(database, ["journal", "meta"], async (transaction) => {
    const store = transaction.objectStore("meta");
    const entry = await add(transaction, await ask(store.get("device")), make);
    await also(store);
    return entry;
  });

async function add(transaction, device, make) {
  const sequence = device.sequence + 1, entry = make(sequence, device.id);
  outside.wrote(device.code, device.id, sequence);
  await ask(transaction.objectStore("journal").add({ id: entry.id, till: device.id, sequence, state: UNSENT, entry, verdict: null }));
  await ask(transaction.objectStore("meta").put({ ...device, sequence }, "device"));
  return entry;
}

/* What the server is told of this journal: its last number, what is not sent, and what is lost. */
export async function state(database) {
  const [device, lost, waiting] = await Promise.all([meta(database, "device"), meta(database, "lost"), unsent(database)]);
  const refused = await ofState(database, REFUSED);
  const own = [...waiting, ...refused].filter(({ till }) => till === device.id).length;
  return { till: device.id, last: device.sequence, unsent: own, lost: lost?.numbers ?? [] };
}

const ofState = (database, state) => ask(database.transaction("journal").objectStore("journal").index("state").getAll(state));

export const unsent = async (database) =>
  (await ofState(database, UNSENT)).sort((a, b) => (a.till === b.till ? a.sequence - b.sequence : a.till < b.till ? -1 : 1));

export const count = (database) => ask(database.transaction("journal").objectStore("journal").index("state").count(UNSENT));

export const all = async (database) =>
  (await ask(database.transaction("journal").objectStore("journal").getAll())).sort((a, b) => b.entry.happened_at.localeCompare(a.entry.happened_at));

export const read = (database, id) => ask(database.transaction("journal").objectStore("journal").get(id));

/* What the server said of some sales: [[id, state, verdict]]. What it has already is not sent again, whoever says so later. */
export const conclude = (database, said) =>
  write(database, ["journal", "meta"], async (transaction) => {
    const store = transaction.objectStore("journal"), device = await ask(transaction.objectStore("meta").get("device")), sent = [];
    for (const [id, state, verdict] of said) {
      const known = await ask(store.get(id));
      if (known && known.state !== SENT) await ask(store.put({ ...known, entry: state === SENT ? forgotten(known.entry) : known.entry, state, verdict, at: Date.now() }));
      if (known?.till === device?.id && state === SENT) sent.push(known.sequence);
    }
    return [device, sent];
  }).then(([device, sent]) => sent.length && outside.sent(device.code, device.id, sent));

/* Whom a clerk wrote down the server knows now; this device need not. */
const forgotten = ({ new_customer, ...entry }) => entry;

/* Refused ones are tried again: after an update of the server, or by hand. */
export const tryAgain = async (database) => conclude(database, (await ofState(database, REFUSED)).map(({ id }) => [id, UNSENT, null]));

/* Sales that the server has had for long are let go. */
export async function prune(database, now = Date.now()) {
  const since = new Date(now - KEEP_DAYS * 86_400_000).toISOString();
  const old = (await ofState(database, SENT)).filter(({ entry }) => entry.happened_at < since);
  if (!old.length) return;
  await write(database, ["journal"], async (transaction) => {
    for (const { id } of old) await ask(transaction.objectStore("journal").delete(id));
  });
}

/* The whole journal as a file, and one read back: what is here already stays as it is. */
export const exported = async (database, code) =>
  new Blob([JSON.stringify({ samlad: "till-journal", store: code, at: new Date().toISOString(), sales: await all(database) }, null, 1)], { type: "application/json" });

export async function imported(database, code, text) {
  const file = JSON.parse(text);
  if (file?.samlad !== "till-journal" || file.store !== code || !Array.isArray(file.sales)) throw new TypeError("no journal of this store");
  const sound = file.sales.filter((sale) => typeof sale?.id === "string" && sale.entry?.id === sale.id && Number.isInteger(sale.sequence));
  return write(database, ["journal"], async (transaction) => {
    const store = transaction.objectStore("journal");
    let added = 0;
    for (const { id, till, sequence, entry } of sound) {
      if (await ask(store.get(id))) continue;
      await ask(store.add({ id, till, sequence, state: UNSENT, entry, verdict: null })); // sent again: the server knows its own
      added += 1;
    }
    return added;
  });
}
