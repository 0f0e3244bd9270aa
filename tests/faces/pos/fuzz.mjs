// Sells at a till that everything happens to: node fuzz.mjs FOLDER-OF-SCRIPTS FAKE-INDEXEDDB SEED SALES. What the scripts fetch is
// asked of the real server, a line of JSON each way; the last line says what the clerk was told.
import { AsyncLocalStorage } from "node:async_hooks";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, idb, seed, wanted] = process.argv.slice(2);
await import(pathToFileURL(`${idb}/auto/index.mjs`).href);

// -- chance, the clock, and what a browser has ------------------------------------------------------------------------------------
let state = Number(seed) >>> 0;
const random = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
const pick = (list) => list[Math.floor(random() * list.length)];
const TrueDate = Date;
let skew = 0;
globalThis.Date = class extends TrueDate {
  constructor(...given) {
    given.length ? super(...given) : super(TrueDate.now() + skew);
  }
  static now = () => TrueDate.now() + skew;
};
const windowOf = new AsyncLocalStorage(); // in which window of the till something runs
const never = () => new Promise(() => {});
const notes = new Map();
globalThis.localStorage = { getItem: (key) => notes.get(key) ?? null, setItem: (key, value) => notes.set(key, String(value)) };
globalThis.addEventListener = () => {};
globalThis.document = { addEventListener() {}, visibilityState: "visible" };
globalThis.AbortSignal.timeout = () => undefined;
const held = new Map();
const locks = {
  async request(name, options, work) {
    if (held.has(name)) return work(null);
    const owner = windowOf.getStore();
    held.set(name, owner);
    try {
      return await work({ name });
    } finally {
      if (held.get(name) === owner) held.delete(name);
    }
  },
};
Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });

// -- the network ------------------------------------------------------------------------------------------------------------------
const asked = new Map();
let asks = 0, isOff = false, isCalm = false;
const faults = { lost: 0, cut: 0, failed: 0, refused: 0, killed: 0, full: 0, evicted: 0, jumped: 0, twice: 0 };
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, ...answer } = JSON.parse(line);
  asked.get(id)(answer);
  asked.delete(id);
});
const reach = (method, path, body) =>
  new Promise((resolve) => {
    asked.set(++asks, resolve);
    process.stdout.write(`${JSON.stringify({ id: asks, method, path, body })}\n`);
  });
const dies = (tab) => tab.isDead && never();
globalThis.fetch = async (address, { method = "GET", body } = {}) => {
  const tab = windowOf.getStore(), chance = isCalm ? 1 : random();
  if (isOff) throw new TypeError("no network");
  if (chance < 0.08) return faults.cut++, Promise.reject(new TypeError("cut off before it was there"));
  if (chance < 0.14) return faults.failed++, new Response("no", { status: pick([500, 502, 503, 429]) });
  if (chance < 0.17 && method === "POST") return faults.refused++, new Response("{}", { status: pick([409, 422]) });
  const answer = await reach(method, address, body);
  await dies(tab);
  if (chance < 0.36) return faults.lost++, Promise.reject(new TypeError("the answer was lost"));
  const text = chance < 0.4 ? answer.body.slice(0, answer.body.length / 2) : answer.body;
  const response = new Response([204, 304].includes(answer.status) ? null : text, { status: answer.status, headers: answer.etag ? { ETag: answer.etag } : {} });
  return response;
};

// -- the disk ---------------------------------------------------------------------------------------------------------------------
const add = IDBObjectStore.prototype.add;
let isFull = false;
IDBObjectStore.prototype.add = function (...given) {
  if (isFull && this.name === "journal") {
    faults.full++;
    throw new DOMException("The disk is full.", "QuotaExceededError");
  }
  return add.apply(this, given);
};

// -- windows of the till ----------------------------------------------------------------------------------------------------------
const at = (name) => import(pathToFileURL(`${folder}/offline/${name}.js`).href);
const [database, journal, ticket, { Goods, ID, makeRoom, restore }, { Sender }, { entryOf }, { reckon, coinOf, inCoins, serverNow }] = await Promise.all(
  ["database", "journal", "ticket", "goods", "sender", "entry", "reckon"].map(at),
);
const CODE = "soder", told = [], lost = new Set();
let tabs = [];

async function carry(tab) {
  tab.pack = await restore(tab.db, tab.goods);
  tab.rows = [...tab.goods.changed.values(), ...(await Promise.all([...Array(tab.goods.size).keys()].map((place) => tab.goods.at(place))))].filter(Boolean);
}

async function opened() {
  const tab = { isDead: false, open: new Set(), goods: new Goods() };
  await windowOf.run(tab, async () => {
    tab.db = await database.open(CODE);
    const begin = tab.db.transaction.bind(tab.db);
    tab.db.transaction = (...given) => {
      const transaction = begin(...given);
      tab.open.add(transaction);
      for (const end of ["complete", "abort"]) transaction.addEventListener(end, () => tab.open.delete(transaction));
      return transaction;
    };
    tab.device = await database.device(tab.db, CODE);
    tab.sender = new Sender(tab.db, CODE, tab.device.id);
    await carry(tab);
  });
  tabs.push(tab);
  return tab;
}

/* What a crash does: whatever was not committed is not there, and nothing goes on. */
function kill(tab) {
  tab.isDead = true;
  tabs = tabs.filter((each) => each !== tab);
  clearTimeout(tab.sender.timer);
  for (const transaction of tab.open) {
    try {
      transaction.abort();
    } catch {
      /* it was committed */
    }
  }
  for (const [name, owner] of held) if (owner === tab) held.delete(name);
  tab.sender.others.close();
  tab.db.close();
}

const send = (tab) => windowOf.run(tab, () => tab.sender.run()).finally(() => clearTimeout(tab.sender.timer));
const within = (tab, work) => windowOf.run(tab, work).catch((error) => void (tab.isDead || ["QuotaExceededError", "ConstraintError", "AbortError"].includes(error?.name) || error instanceof ticket.Changed || fail(error)));
function fail(error) {
  console.error(error);
  process.exit(1);
}

/* As the page does it: the clerk is told only when it is on the disk. */
async function sell(tab) {
  if (!tab.pack) await carry(tab);
  if (!tab.pack) return;
  for (let n = 0; n < 1 + random() * 2; n++) {
    const row = pick(tab.rows);
    await tab.goods.need([row[ID]]);
    await ticket.add(tab.db, { variant: row[ID], sku: row[1], title: row[3], options: row[4], price: row[5], tax_class: row[6] });
  }
  const seen = await ticket.current(tab.db);
  await tab.goods.need(seen.lines.map((line) => line.variant));
  const offset = (await database.meta(tab.db, "clock"))?.offset ?? null;
  const { total } = reckon(seen.lines, tab.pack, tab.goods, {}, seen, serverNow(offset)), isCash = random() < 0.5;
  const amount = isCash ? inCoins(total, coinOf(tab.pack.store)) : total;
  const tenders = [{ kind: isCash ? "cash" : "card", amount, ...(isCash ? { tendered: amount } : {}) }];
  const make = entryOf({ pack: tab.pack, goods: tab.goods, used: {}, clerk: await database.meta(tab.db, "clerk"), offset, isTraining: false }, tenders, amount - total);
  const entry = await journal.sell(tab.db, seen, make).catch(async (error) => {
    if (error?.name !== "QuotaExceededError") throw error;
    await makeRoom(tab.db);
    isFull = random() < 0.5;
    return journal.sell(tab.db, seen, make);
  });
  if (!tab.isDead) told.push({ id: entry.id, sequence: entry.sequence, till: entry.till, total: entry.total + entry.rounding });
}

/* The browser throws everything away; what the clerk was told and was not sent is gone, and only its numbers are known. */
async function evict() {
  for (const tab of [...tabs]) kill(tab);
  await new Promise((resolve) => (indexedDB.deleteDatabase(`samlad-till-${CODE}`).onsuccess = resolve));
  faults.evicted++;
  for (const sale of told) lost.add(sale.id);
  await opened();
}

// -- a day ------------------------------------------------------------------------------------------------------------------------
isCalm = true;
await opened();
await send(tabs[0]);
isCalm = false;
// Each trouble comes at least once: which dice fall when depends on how fast the machine is.
const lacks = () => ["lost", "cut", "failed", "killed", "full", "jumped", "twice"].some((each) => !faults[each]);
let tries = 0;
while ((told.length < Number(wanted) || lacks()) && tries++ < Number(wanted) * 20) {
  const act = random(), tab = pick(tabs);
  if (act < 0.05) isOff = !isOff;
  else if (act < 0.1 && tabs.length < 3) await opened();
  else if (act < 0.13) skew = faults.jumped++ && pick([0, 0, -3, 5, -40, 400]) * 86_400_000;
  else if (act < 0.15) isFull = !isFull;
  else if (act < 0.157) await evict();
  else if (act < 0.42) {
    const going = within(tab, () => send(tab));
    if (random() < 0.25) faults.killed++, await Promise.race([going, new Promise((resolve) => setTimeout(resolve, random() * 12))]), kill(tab);
    else await going;
  } else if (act < 0.5) {
    const going = within(tab, () => sell(tab)); // killed at any moment of a sale
    for (let n = Math.floor(random() * 40); n > 0; n--) await Promise.resolve();
    if (random() < 0.5) await new Promise((resolve) => setTimeout(resolve, random() * 4));
    faults.killed++;
    kill(tab);
    await Promise.race([going, new Promise((resolve) => setTimeout(resolve, 2))]);
  } else if (act < 0.56 && tabs.length > 1) {
    faults.twice++; // two windows at once
    await Promise.all(tabs.slice(0, 2).map((each) => within(each, () => sell(each))));
  } else await within(tab, () => sell(tab));
  if (!tabs.length) await opened();
}
// -- the evening ------------------------------------------------------------------------------------------------------------------
[isOff, isFull, isCalm, skew] = [false, false, true, 0];
for (const tab of [...tabs]) kill(tab);
const last = await opened();
for (let n = 0; n < 4; n++) {
  await windowOf.run(last, () => journal.tryAgain(last.db));
  await send(last);
}
const rows = await journal.all(last.db);
process.stdout.write(`${JSON.stringify({ done: true, told, faults, device: last.device, lost: [...lost], journal: rows.map(({ id, state: is, verdict }) => [id, is, verdict?.verdict ?? null]), unsent: await journal.count(last.db) })}\n`);
process.exit(0);
