/* The pack: 300,000 articles lie in the database in small chunks, and only an index of their codes is in memory: numbers in their order,
   each the hash of a code and the place of its row. So the till opens at once, and a scan reads one chunk. Names are read
   beside that, for the search. A row is what the server sends:
   [id, SKU, GTIN, title, options, price, tax class, picture, product, [prices, marks, is goods, sold from, sold to, what its quantity counts]]. */

import { minorOf, quantityFor, readGs1, readScale } from "../rules/scale.js";
import { ask, ended, meta, write } from "./database.js";
import { lotOf } from "./lots.js";

export const ID = 0, SKU = 1, GTIN = 2, TITLE = 3, OPTIONS = 4, PRICE = 5, TAX = 6, IMAGE = 7, PRODUCT = 8, SCALE = 9;
const MOST_FOUND = 24, CHUNK = 500, MOST_CHUNKS = 200, PLACES = 2 ** 20;

export const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
export const soldBy = (row) => row[SCALE]?.[5] ?? "piece";
const gtin14 = (code) => (/^\d{8,14}$/.test(code) ? code.padStart(14, "0") : null);

/* What is in a scanned text: a GS1 element string or Digital Link has its GTIN after (01), ]C101 or /01/. */
export function codeIn(text) {
  const inside = /\/01\/(\d{8,14})(?:[/?#]|$)/.exec(text) ?? /^(?:\](?:C1|d2|Q3|e0))?\(?01\)?(\d{14})/.exec(text);
  return inside && text.length > 14 ? inside[1] : text.trim();
}

/* 32 bits of a code (FNV-1a with a last stir); two codes may have the same: the row decides. */
function hash(text) {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

const keysOf = (row) => [`i${row[ID]}`, `s${row[SKU].toLowerCase()}`, ...(row[GTIN] && gtin14(row[GTIN]) ? [`g${gtin14(row[GTIN])}`] : [])];

/* Made while the pack is loaded: hash · 2^20 + place, exact in a double. */
export class Index {
  constructor() {
    this.keys = [];
    this.size = 0;
  }

  add(row) {
    if (this.size >= PLACES) throw new RangeError("more articles than a till can carry");
    for (const key of keysOf(row)) this.keys.push(hash(key) * PLACES + this.size);
    this.size += 1;
  }

  sorted = () => Float64Array.from(this.keys).sort();
}

export class Goods {
  constructor() {
    this.clear();
  }

  clear() {
    Object.assign(this, { database: null, generation: 0, index: new Float64Array(0), size: 0, chunks: new Map(), words: null, filling: null });
    this.known = new Map(); // rows that are in memory, by id
    this.changed = new Map(); // what is newer than the chunks: id → row, or null for what is gone
    this.codes = new Map(); // of those
    this.sets = new Map(); // id → its parts as the rules look at them
  }

  /* A row that is newer than the chunks. */
  put(row) {
    this.remove(row[ID]);
    this.changed.set(row[ID], row);
    this.known.set(row[ID], row);
    for (const key of keysOf(row)) if (!this.codes.has(key)) this.codes.set(key, row[ID]);
  }

  remove(id) {
    const before = this.changed.get(id);
    if (before) for (const key of keysOf(before)) if (this.codes.get(key) === id) this.codes.delete(key);
    this.changed.set(id, null);
    this.known.delete(id);
  }

  /* One that is in memory: it was scanned, found, or asked for by `need`. */
  get(id) {
    return this.known.get(id) ?? null;
  }

  /* As the rules look at it (`rules/totals.js`), or null. */
  good(id) {
    const row = this.get(id);
    if (!row?.[SCALE]) return null;
    const [prices, marks, is_goods, sold_from, sold_to, sold_by] = row[SCALE];
    return { product: row[PRODUCT], tax_class: row[TAX], is_sold: true, is_goods, sold_from, sold_to, prices, marks, sold_by, parts: this.sets.get(id) };
  }

  /* What sets are made of: `sets` has the units of each part, `parts` {variant, tax_class, is_goods, prices} of what is a part of any. A set with a
     part that is not among them is taxed by its own class: the pack is of before parts came along. */
  made(sets = [], parts = []) {
    const known = new Map(parts.map((part) => [part.variant, part]));
    const whole = sets.filter(([, of]) => of.every(([part]) => known.has(part)));
    this.sets = new Map(whole.map(([id, of]) => [id, of.map(([part, units]) => ({ units, ...known.get(part) }))]));
  }

  /* Bring these into memory. */
  need = (ids) => Promise.all(ids.map((id) => this.known.has(id) || this.byKey(`i${id}`)));

  async scan(text) {
    const code = codeIn(text), gtin = gtin14(code);
    return (await this.byKey(`s${code.toLowerCase()}`)) ?? (gtin ? this.byKey(`g${gtin}`) : null); // an SKU goes before a GTIN
  }

  /* What was scanned, and how much of it its code says: {row, quantity (0: to be typed), is_wrong, expires_on, one (its lot or
     serial number: `lots.js`)}, or null. `layouts`: of the store's scales; `exponent`: of its currency. */
  async read(text, layouts, exponent) {
    const gs1 = readGs1(text), plain = await this.scan(text), scale = plain ? null : readScale(text.trim(), layouts);
    let row = plain;
    for (const name of scale?.names ?? []) row ??= await this.scan(name);
    if (!row) return null;
    const about = { row, expires_on: gs1?.expires_on ?? null, one: lotOf(gs1) };
    if (soldBy(row) === "piece") return { ...about, quantity: 1, is_wrong: false };
    if (scale?.is_wrong) return { ...about, quantity: 0, is_wrong: true };
    const measure = gs1?.measure ?? (scale && scale.grams !== null ? ["weight", scale.grams] : null), price = gs1?.price ?? scale?.price ?? null;
    const own = measure?.[0] === soldBy(row) ? measure[1] : 0;
    const paid = own || !price ? 0 : (quantityFor(minorOf(price, exponent), row[PRICE], 1_000) ?? 0);
    return { ...about, quantity: own || paid, is_wrong: false };
  }

  async byKey(key) {
    if (this.codes.has(key)) return this.changed.get(this.codes.get(key));
    const wanted = hash(key);
    for (let at = this.first(wanted * PLACES); at < this.index.length && Math.floor(this.index[at] / PLACES) === wanted; at++) {
      const row = await this.at(this.index[at] % PLACES);
      if (row && keysOf(row).includes(key)) return this.remember(row);
    }
    return null;
  }

  /* The first place in the index that is not below a number. */
  first(number) {
    let low = 0, high = this.index.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.index[middle] < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  remember(row) {
    this.known.set(row[ID], row);
    return row;
  }

  /* The row of a place, null if something newer is known of it. */
  async at(place) {
    const row = (await this.chunk(Math.floor(place / CHUNK)))?.[place % CHUNK];
    return row && !this.changed.has(row[ID]) ? row : null;
  }

  async chunk(number) {
    const there = this.chunks.get(number);
    if (there) return there;
    const rows = await ask(this.database.transaction("chunks").objectStore("chunks").get([this.generation, number]));
    if (this.chunks.size >= MOST_CHUNKS) this.chunks.delete(this.chunks.keys().next().value);
    if (rows) this.chunks.set(number, rows);
    return rows;
  }

  /* Read all names, a chunk at a time, so that nobody waits for it but who searches. */
  fill() {
    this.filling ??= (async () => {
      const words = [], { database, generation } = this;
      for (let number = 0; number * CHUNK < this.size && database; number++) {
        const rows = (await ask(database.transaction("chunks").objectStore("chunks").get([generation, number]))) ?? [];
        for (const row of rows) words.push(wordsOf(row));
      }
      this.words = words;
    })();
    return this.filling;
  }

  async search(text) {
    const wanted = fold(text).split(/\s+/).filter(Boolean), found = [], fits = (words) => wanted.every((word) => words.includes(word));
    for (const row of this.changed.values()) if (row && found.length < MOST_FOUND && fits(wordsOf(row))) found.push(row);
    await this.fill();
    for (let place = 0; place < this.words.length && found.length < MOST_FOUND; place++) {
      const row = fits(this.words[place]) ? await this.at(place) : null;
      if (row) found.push(this.remember(row));
    }
    return found;
  }
}

const wordsOf = (row) => fold(`${row[TITLE]} ${row[OPTIONS]} ${row[SKU]}`);

/* Make ready what was kept: the index and what has changed, not the articles. */
export async function restore(database, goods) {
  const transaction = database.transaction(["chunks", "changes", "meta"]);
  const pack = await ask(transaction.objectStore("meta").get("pack"));
  if (!pack) return goods.clear() ?? null;
  const [index, ids, changed] = await Promise.all([
    ask(transaction.objectStore("chunks").get([pack.generation, "index"])),
    ask(transaction.objectStore("changes").getAllKeys()),
    ask(transaction.objectStore("changes").getAll()),
  ]);
  const known = goods.known;
  goods.clear();
  if (!index) return null; // half of it was thrown away
  Object.assign(goods, { database, generation: pack.generation, index: index.keys, size: index.size });
  goods.made(pack.sets, pack.parts);
  changed.forEach((row, at) => (row ? goods.put(row) : goods.remove(ids[at])));
  await goods.need([...known.keys()].slice(-MOST_CHUNKS));
  return pack;
}

/* Bring the pack up to date: only what has changed, or everything in pages beside the old one, which holds until the last page
   is there. `fetchPage(query)` answers a page or null where nothing is new; `told(n)` hears how many articles are there. One tab at a
   time. */
export const refresh = (database, code, fetchPage, told = () => {}) =>
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
    const generation = (pack?.generation ?? 0) + 1, first = page, index = new Index();
    await drop(database, generation, generation); // of a load that was broken off
    for (let rest = []; ; ) {
      const transaction = database.transaction("chunks", "readwrite"), store = transaction.objectStore("chunks");
      const rows = [...rest, ...page.rows];
      let number = Math.floor(index.size / CHUNK);
      for (const row of page.rows) index.add(row);
      for (rest = rows; rest.length >= CHUNK || (rest.length && !page.next); rest = rest.slice(CHUNK)) store.put(rest.slice(0, CHUNK), [generation, number++]);
      await ended(transaction);
      told(index.size);
      if (!page.next) break;
      page = await fetchPage({ cursor: page.next });
    }
    await write(database, ["chunks", "changes", "meta"], async (transaction) => {
      transaction.objectStore("chunks").put({ keys: index.sorted(), size: index.size }, [generation, "index"]);
      transaction.objectStore("changes").clear();
      const kept = { ...ofPage({ ...page, store: first.store, rules: first.rules }), generation, size: index.size };
      await ask(transaction.objectStore("meta").put(kept, "pack"));
    });
    await drop(database, 0, generation - 1);
    return true;
  });

const ofPage = (page) => ({
  ...(page.store ? { store: page.store, rules: page.rules } : {}),
  upto: page.upto,
  at: page.at,
  stock: page.stock,
  sets: page.sets,
  parts: page.parts,
  lease: page.lease.map((line) => [line.variant, line.units]),
  leaseEnds: page.lease_ends,
});

/* All chunks of some generations, their index with them: texts and lists come after numbers. */
async function drop(database, from, to) {
  const transaction = database.transaction("chunks", "readwrite");
  transaction.objectStore("chunks").delete(IDBKeyRange.bound([from, 0], [to, []]));
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
