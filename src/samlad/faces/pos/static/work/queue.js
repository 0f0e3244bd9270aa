/* The outbox of store work at one place: what was done is in it, on the disk, before anything says that it is done. It leaves the
   phone only when the server has it. IndexedDB:

   queue   id → {id, sequence, state, entry, verdict, at}
   meta    device, who (is signed in), tasks (what was taken along), heard, clock, lost, draft:… (what was counted of goods that come) */

import { ask, device, ended, keep, meta, outside, write } from "../offline/database.js";

export { ask, ended, keep, meta, write };
export const UNSENT = "unsent", DONE = "done", REFUSED = "refused";
const KEEP_MS = 12 * 3_600_000;

export async function open(code) {
  const request = indexedDB.open(`samlad-work-${code}`, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("queue", { keyPath: "id" }).createIndex("state", "state");
    request.result.createObjectStore("meta");
  };
  const database = await ask(request);
  database.onversionchange = () => database.close();
  await device(database, `work/${code}`); // no till has such a name
  return database;
}

/* Write down what somebody did; answers the entry when it is on the disk. `also(meta)` changes what goes with it. */
export const add = (database, fields, also = () => {}) =>
  write(database, ["queue", "meta"], async (transaction) => {
    const store = transaction.objectStore("meta");
    const [mine, who, clock] = await Promise.all([ask(store.get("device")), ask(store.get("who")), ask(store.get("clock"))]);
    if (!who) throw new DOMException("Nobody is signed in.", "NotAllowedError");
    const sequence = mine.sequence + 1;
    const entry = {
      ...fields,
      id: crypto.randomUUID(),
      device: mine.id,
      sequence,
      happened_at: new Date(Date.now() + (clock?.offset ?? 0)).toISOString(),
      by: who.id,
      by_name: who.name,
    };
    outside.wrote(mine.code, mine.id, sequence);
    await ask(transaction.objectStore("queue").add({ id: entry.id, sequence, state: UNSENT, entry, verdict: null, at: Date.now() }));
    await ask(store.put({ ...mine, sequence }, "device"));
    await also(store);
    return entry;
  });

const ofState = async (database, state) =>
  (await ask(database.transaction("queue").objectStore("queue").index("state").getAll(state))).sort((a, b) => a.sequence - b.sequence);

export const unsent = (database) => ofState(database, UNSENT);
export const refused = (database) => ofState(database, REFUSED);
export const all = async (database) => (await ask(database.transaction("queue").objectStore("queue").getAll())).sort((a, b) => a.sequence - b.sequence);

/* What became of some: [[item, verdict, or null where the server takes no such request]]. What is done is not sent again. */
export const conclude = (database, said) =>
  write(database, ["queue", "meta"], async (transaction) => {
    const store = transaction.objectStore("queue"), device = await ask(transaction.objectStore("meta").get("device")), sent = [];
    for (const [{ id }, verdict] of said) {
      const known = await ask(store.get(id));
      if (!known || known.state === DONE) continue;
      const state = verdict?.verdict === "done" || verdict?.verdict === "dismissed" ? DONE : REFUSED;
      await ask(store.put({ ...known, state, verdict, again: false, at: Date.now() }));
      if (verdict && known.entry.device === device.id) sent.push(known.sequence);
    }
    return [device, sent];
  }).then(([device, sent]) => sent.length && outside.sent(device.code, device.id, sent));

/* A refused one is sent once more, and the server tries it once more. */
export const tryAgain = (database, id) =>
  write(database, ["queue"], async (transaction) => {
    const store = transaction.objectStore("queue"), known = await ask(store.get(id));
    if (known?.state === REFUSED) await ask(store.put({ ...known, state: UNSENT, again: true, verdict: null }));
  });

/* Taken off this phone's list: only what the server has and shows to a manager. */
export const letGo = (database, id) =>
  write(database, ["queue"], async (transaction) => {
    const store = transaction.objectStore("queue"), known = await ask(store.get(id));
    if (known?.state === REFUSED && known.verdict) await ask(store.delete(id));
  });

/* What the server has had for half a day is let go. */
export async function prune(database, now = Date.now()) {
  const old = (await ofState(database, DONE)).filter(({ at }) => now - at > KEEP_MS);
  if (!old.length) return;
  await write(database, ["queue"], async (transaction) => {
    for (const { id } of old) await ask(transaction.objectStore("queue").delete(id));
  });
}

/* Nobody is signed in any more, or nothing was heard for half a day: what was taken along leaves this phone. What is unsent stays. */
export const forget = (database) =>
  write(database, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta");
    for (const name of ["who", "tasks", "heard"]) await ask(store.delete(name));
  });

export async function forgetOld(database, now = Date.now()) {
  const heard = await meta(database, "heard");
  if (heard !== undefined && (now - heard > KEEP_MS || heard > now + KEEP_MS)) await forget(database);
}

/* What is not sent, and what was refused, as a file: for a phone that breaks, to go on at another one of the same place. */
export const exported = async (database, code) =>
  new Blob([JSON.stringify({ samlad: "store-work", place: code, at: new Date().toISOString(), entries: [...(await unsent(database)), ...(await refused(database))].map(({ entry }) => entry) }, null, 1)], { type: "application/json" });

const isSound = (entry) => [entry?.id, entry?.device, entry?.kind, entry?.happened_at].every((each) => typeof each === "string") && Number.isInteger(entry.sequence);

/* Read one back in: how many were not here before. Whoever did it stays who did it. They are sent again; the server knows what it has. */
export async function imported(database, code, text) {
  const file = JSON.parse(text);
  if (file?.samlad !== "store-work" || file.place !== code || !Array.isArray(file.entries) || !file.entries.every(isSound)) throw new TypeError("no work of this place");
  return write(database, ["queue"], async (transaction) => {
    const store = transaction.objectStore("queue");
    let added = 0;
    for (const entry of file.entries) {
      if (await ask(store.get(entry.id))) continue;
      await ask(store.add({ id: entry.id, sequence: entry.sequence, state: UNSENT, entry, verdict: null, at: Date.now() }));
      added += 1;
    }
    return added;
  });
}
