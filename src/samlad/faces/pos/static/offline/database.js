/* IndexedDB of a till: one database for each store.

   chunks   the pack as it was loaded: [generation, number] → 500 rows, [generation, "index"] → {keys, size}
   changes  what has changed since: id → row, or null for what is gone
   journal  every sale, and whatever else was done: id → {id, till, sequence, state, entry, …}
   parked   tickets that were put aside: id → ticket
   meta     device, pack, day, ticket, drawer, training, training-drawer, lost, online (the ticket of the online till), clock, clerk, on (who went on without network), tries (wrong PINs),
            key (what receipts are signed with: `key.js`) */

const VERSION = 2;

export const ask = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/* Until a transaction has ended: with `durability: "strict"` that is on the disk. */
export const ended = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("The till's database gave up.", "AbortError"));
  });

export function open(code) {
  const request = indexedDB.open(`samlad-till-${code}`, VERSION);
  request.onupgradeneeded = () => {
    const database = request.result, there = database.objectStoreNames;
    for (const name of ["chunks", "changes", "meta"]) if (!there.contains(name)) database.createObjectStore(name);
    if (!there.contains("journal")) database.createObjectStore("journal", { keyPath: "id" }).createIndex("state", "state");
    if (!there.contains("parked")) database.createObjectStore("parked", { keyPath: "id" });
    for (const name of ["chunks", "changes"]) request.transaction.objectStore(name).clear(); // of another form; loaded anew
    for (const key of ["pack", "carried"]) request.transaction.objectStore("meta").delete(key);
  };
  return ask(request).then((database) => {
    database.onversionchange = () => database.close();
    return database;
  });
}

/* Run `work` (which may only wait for requests of this transaction) and answer what it answers, once it is durable. */
export async function write(database, stores, work) {
  const transaction = database.transaction(stores, "readwrite", { durability: "strict" });
  const over = ended(transaction);
  try {
    const answer = await work(transaction);
    await over;
    return answer;
  } catch (error) {
    over.catch(() => {});
    try {
      transaction.abort();
    } catch {
      /* it had ended by itself */
    }
    throw error;
  }
}

export const meta = (database, key) => ask(database.transaction("meta").objectStore("meta").get(key));

export const keep = (database, key, value) =>
  write(database, ["meta"], (transaction) => ask(transaction.objectStore("meta").put(value, key)));

/* This till: an id that it gives itself once, and the number of the last entry in its journal. A second note of it lies outside of
   the database: when that is gone, whoever throws it away, the till is still itself, goes on counting, and knows which numbers
   had not been sent. They are in `lost` until the server has been told. */
export const device = (database, code) =>
  write(database, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta");
    const known = await ask(store.get("device"));
    if (known?.code) return known;
    if (known) {
      await ask(store.put({ ...known, code }, "device")); // of before it was noted elsewhere, too
      return { ...known, code };
    }
    const noted = outside.read(code);
    const made = noted ? { id: noted.id, sequence: noted.sequence, code } : { id: crypto.randomUUID(), sequence: 0, code };
    if (noted) await ask(store.put({ numbers: noted.unsent, at: Date.now() }, "lost"));
    await ask(store.put(made, "device"));
    outside.keep(code, { id: made.id, sequence: made.sequence, unsent: [] });
    return made;
  });

const MOST_NOTED = 1_000;

/* The note outside of the database. Where there is no such storage, there is none. */
export const outside = {
  read(code) {
    try {
      const noted = JSON.parse(localStorage.getItem(`till-device-${code}`));
      return noted && typeof noted.id === "string" && Number.isInteger(noted.sequence) && Array.isArray(noted.unsent) ? noted : null;
    } catch {
      return null;
    }
  },
  keep(code, note) {
    try {
      localStorage.setItem(`till-device-${code}`, JSON.stringify({ ...note, unsent: note.unsent.slice(-MOST_NOTED) }));
    } catch {
      /* full, or not allowed: the database is what counts */
    }
  },
  /* Before it is in the database: a number too many is found out, one too few is not. */
  wrote(code, id, sequence) {
    const noted = this.read(code);
    this.keep(code, { id, sequence, unsent: [...new Set([...(noted?.id === id ? noted.unsent : []), sequence])] }); // given out again where writing failed
  },
  sent(code, id, sequences) {
    const noted = this.read(code);
    if (noted?.id === id) this.keep(code, { ...noted, unsent: noted.unsent.filter((each) => !sequences.includes(each)) });
  },
};
