/* IndexedDB of a till: one database for each store.

   chunks   the pack as it was loaded: [generation, number] → rows
   changes  what has changed since: id → row, or null for what is gone
   journal  every sale: id → {id, till, sequence, state, entry, …}
   meta     device, pack, ticket, online (the ticket of the online till), clock, clerk */

const VERSION = 1;

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
    const database = request.result;
    database.createObjectStore("chunks");
    database.createObjectStore("changes");
    database.createObjectStore("meta");
    database.createObjectStore("journal", { keyPath: "id" }).createIndex("state", "state");
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

/* This till: an id that it gives itself once, and the number of the last sale in its journal. */
export const device = (database) =>
  write(database, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta");
    const known = await ask(store.get("device"));
    if (known) return known;
    const made = { id: crypto.randomUUID(), sequence: 0 };
    await ask(store.put(made, "device"));
    return made;
  });
