/* The pack in memory: found by code in one look-up, by words in one pass. A row is what the server sends:
   [id, SKU, GTIN, title, options, price, tax class, picture, product, [prices, marks, is goods, sold from, sold to]]. */

import { ask, ended, meta, write } from "./database.js";

export const ID = 0, SKU = 1, GTIN = 2, TITLE = 3, OPTIONS = 4, PRICE = 5, TAX = 6, IMAGE = 7, PRODUCT = 8, SCALE = 9;
const MOST_FOUND = 24;

export const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const gtin14 = (code) => (/^\d{8,14}$/.test(code) ? code.padStart(14, "0") : null);

/* What is in a scanned text: a GS1 element string or Digital Link has its GTIN after (01), ]C101 or /01/. */
export function codeIn(text) {
  const inside = /\/01\/(\d{8,14})(?:[/?#]|$)/.exec(text) ?? /^(?:\](?:C1|d2|Q3|e0))?\(?01\)?(\d{14})/.exec(text);
  return inside && text.length > 14 ? inside[1] : text.trim();
}

export class Goods {
  constructor() {
    this.clear();
  }

  clear() {
    this.rows = [];
    this.byId = new Map();
    this.byCode = new Map();
    this.words = [];
  }

  get size() {
    return this.byId.size;
  }

  put(row) {
    const known = this.byId.get(row[ID]);
    const place = known ?? this.rows.length;
    if (known !== undefined) this.forget(this.rows[known], known);
    this.rows[place] = row;
    this.words[place] = fold(`${row[TITLE]} ${row[OPTIONS]} ${row[SKU]}`);
    this.byId.set(row[ID], place);
    const gtin = row[GTIN] && gtin14(row[GTIN]);
    if (gtin && !this.byCode.has(gtin)) this.byCode.set(gtin, place);
    this.byCode.set(row[SKU].toLowerCase(), place); // an SKU goes before a GTIN
  }

  remove(id) {
    const place = this.byId.get(id);
    if (place === undefined) return;
    this.forget(this.rows[place], place);
    this.byId.delete(id);
    this.rows[place] = null;
    this.words[place] = "";
  }

  forget(row, place) {
    for (const code of [row[SKU].toLowerCase(), row[GTIN] && gtin14(row[GTIN])]) if (this.byCode.get(code) === place) this.byCode.delete(code);
  }

  get(id) {
    return this.rows[this.byId.get(id)] ?? null;
  }

  /* As the rules look at it (`rules/totals.js`), or null. */
  good(id) {
    const row = this.get(id);
    if (!row?.[SCALE]) return null;
    const [prices, marks, is_goods, sold_from, sold_to] = row[SCALE];
    return { product: row[PRODUCT], tax_class: row[TAX], is_sold: true, is_goods, sold_from, sold_to, prices, marks };
  }

  scan(text) {
    const code = codeIn(text);
    const place = this.byCode.get(code.toLowerCase()) ?? this.byCode.get(gtin14(code));
    return this.rows[place] ?? null;
  }

  search(text) {
    const wanted = fold(text).split(/\s+/).filter(Boolean), found = [];
    for (let place = 0; place < this.words.length && found.length < MOST_FOUND; place++) {
      if (this.words[place] && wanted.every((word) => this.words[place].includes(word))) found.push(this.rows[place]);
    }
    return found;
  }
}

/* Read what was kept. The rows come in the order in which they were loaded. */
export async function restore(database, goods) {
  goods.clear();
  const pack = await meta(database, "pack");
  if (!pack) return null;
  const transaction = database.transaction(["chunks", "changes"]);
  const bounds = IDBKeyRange.bound([pack.generation, 0], [pack.generation, Infinity]);
  const chunks = await ask(transaction.objectStore("chunks").getAll(bounds));
  for (const rows of chunks) for (const row of rows) goods.put(row);
  const [ids, changed] = await Promise.all([
    ask(transaction.objectStore("changes").getAllKeys()),
    ask(transaction.objectStore("changes").getAll()),
  ]);
  changed.forEach((row, index) => (row ? goods.put(row) : goods.remove(ids[index])));
  return pack;
}

/* Bring the pack up to date: only what has changed, or everything in pages beside the old one, which holds until the last page
   is there. `fetchPage(query)` answers a page or null where nothing is new. One tab at a time. */
export const refresh = (database, code, fetchPage) =>
  navigator.locks.request(`till-pack-${code}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return false;
    const pack = await meta(database, "pack");
    let page = await fetchPage(pack ? { since: pack.upto } : {});
    if (!page) return false;
    if (!page.is_whole) {
      await write(database, ["changes", "meta"], async (transaction) => {
        const changes = transaction.objectStore("changes");
        for (const row of page.rows) changes.put(row, row[ID]);
        for (const id of page.gone) changes.put(null, id);
        await ask(transaction.objectStore("meta").put({ ...pack, ...ofPage(page) }, "pack"));
      });
      return page.rows.length > 0 || page.gone.length > 0 || pack.upto !== page.upto;
    }
    const generation = (pack?.generation ?? 0) + 1, first = page;
    await drop(database, generation, generation); // of a load that was broken off
    for (let number = 0; ; number++) {
      const transaction = database.transaction("chunks", "readwrite");
      transaction.objectStore("chunks").put(page.rows, [generation, number]);
      await ended(transaction);
      if (!page.next) break;
      page = await fetchPage({ cursor: page.next });
    }
    await write(database, ["changes", "meta"], async (transaction) => {
      transaction.objectStore("changes").clear();
      await ask(transaction.objectStore("meta").put({ ...ofPage({ ...page, store: first.store, rules: first.rules }), generation }, "pack"));
    });
    await drop(database, 0, generation - 1);
    return true;
  });

const ofPage = (page) => ({
  ...(page.store ? { store: page.store, rules: page.rules } : {}),
  upto: page.upto,
  at: page.at,
  stock: page.stock,
  lease: page.lease.map((line) => [line.variant, line.units]),
  leaseEnds: page.lease_ends,
});

async function drop(database, from, to) {
  const transaction = database.transaction("chunks", "readwrite");
  transaction.objectStore("chunks").delete(IDBKeyRange.bound([from, 0], [to, Infinity]));
  await ended(transaction);
}

/* Free room on a full disk: the pack can be loaded again, a sale cannot. */
export const makeRoom = (database) =>
  write(database, ["chunks", "changes", "meta"], async (transaction) => {
    transaction.objectStore("chunks").clear();
    transaction.objectStore("changes").clear();
    transaction.objectStore("meta").delete("carried");
    await ask(transaction.objectStore("meta").delete("pack"));
  });
