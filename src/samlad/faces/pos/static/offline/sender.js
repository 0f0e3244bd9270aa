/* Sends what is unsent, in order, until the server has said that it has it, and brings what the till carries. */

import * as database from "./database.js";
import { refresh } from "./goods.js";
import * as journal from "./journal.js";
import { registered } from "./key.js";
import { Pulse } from "./pulse.js";
import { day, here, lease, lock, nameKey, page, send, tell } from "./server.js";

const IDLE_MS = 30_000;
const SOON_MS = 60_000, DAY_MS = 2 * 60_000, PACK_MS = 5 * 60_000, LEASE_MS = 30 * 60_000;

export class Sender extends Pulse {
  /* `idle`: after how many milliseconds it asks again while there is nothing to send. `cards()`: how many payments by card of this device are
     not settled. */
  constructor(db, code, till, idle = IDLE_MS, cards = async () => 0) {
    super(`till-${code}`, idle);
    Object.assign(this, { db, code, till, cards, base: `/pos/${code}`, hasSent: false });
  }

  async beat() {
    const said = await here(`${this.base}/offline/here`, await this.self());
    await database.keep(this.db, "clock", { offset: said.offset, asked: said.asked });
    this.offset = said.offset; // somebody may have set the clock right since
    this.tell("clock");
    await this.settle(said);
    this.be("online");
    await this.send(said.csrf);
    await this.report(said.csrf);
    this.tries = 0;
    await registered(this.db, (key) => nameKey(this.code, said.csrf, this.till, key)).catch((error) => console.warn("receipts of this till have no code", error));
    await this.carry(said.csrf).catch((error) => console.warn("the till has what it had", error)); // sales matter more
  }

  /* What this device says of itself before it sends: what was rung up when it falls silent in the middle of that is known then. */
  async self() {
    const [{ till, unsent }, cards, pack] = await Promise.all([journal.state(this.db), this.cards(), database.meta(this.db, "pack")]);
    return { till, unsent, cards, pack_at: pack?.at ?? null };
  }

  /* Who is on here and there. Who went on without network is not who the server has on: that one is locked there, so that nobody goes
     on with somebody else's rights. Whoever has signed on there since is who is on. */
  async settle({ csrf, clerk, help = [] }) {
    this.dispatchEvent(new CustomEvent("help", { detail: help }));
    const before = await database.meta(this.db, "clerk"), on = await database.meta(this.db, "on");
    let there = clerk;
    if (on && there && there.id === on.over && there.id !== on.id) {
      await lock(this.base, csrf);
      there = null;
    }
    const isOver = on && (there?.id ?? null) !== null;
    await database.write(this.db, ["meta"], async (transaction) => {
      const store = transaction.objectStore("meta"), now = await database.ask(store.get("on"));
      if (isOver && now?.id === on.id) await database.ask(store.delete("on"));
      else if (now && !there) await database.ask(store.put({ ...now, over: null }, "on"));
      await database.ask(store.put(there, "clerk"));
    });
    if (before?.id === there?.id && !isOver) return;
    this.hasSent = true; // what they may see may be otherwise
    this.told("clerk");
  }

  send(token) {
    return this.empty(`till-send-${this.code}`, {
      waiting: () => journal.unsent(this.db),
      send: (sales) => send(this.code, token, sales.map(({ entry }) => entry)),
      // what the server takes at all it has; what it does not stays, is shown, and holds up no other
      conclude: (said) => journal.conclude(this.db, said.map(([sale, verdict]) => [sale.id, verdict ? journal.SENT : journal.REFUSED, verdict])),
      sending: () => this.tell("sending"),
      sent: () => {
        this.told("journal");
        this.hasSent = true; // what there is has changed
      },
    });
  }

  /* How far the journal goes: once for each state of it. */
  async report(token) {
    const state = await journal.state(this.db), text = JSON.stringify(state);
    if (text === (await database.meta(this.db, "told"))) return;
    if (!(await tell(this.code, token, state))) return;
    await database.write(this.db, ["meta"], async (transaction) => {
      const store = transaction.objectStore("meta");
      if (state.lost.length) await database.ask(store.delete("lost"));
      await database.ask(store.put(JSON.stringify({ ...state, lost: [] }), "told"));
    });
  }

  /* What the till carries, and its lease, now and then. */
  async carry(token) {
    const done = (await database.meta(this.db, "carried")) ?? { leased: 0, packed: 0 };
    if (Date.now() - done.leased > LEASE_MS) {
      await lease(this.code, token, this.till);
      done.leased = Date.now();
      await database.keep(this.db, "carried", done);
    }
    if (Date.now() - (done.day ?? 0) > DAY_MS || this.hasSent) {
      const known = await database.meta(this.db, "day"), fresh = await day(this.code, this.till, known?.tag);
      done.day = Date.now();
      await database.keep(this.db, "day", { ...(fresh ?? known), heard: Date.now() });
      await database.keep(this.db, "carried", done);
      this.told("day");
    }
    if (Date.now() - done.packed > (this.hasSent ? SOON_MS : PACK_MS)) {
      const isNew = await refresh(this.db, this.code, (query) => page(this.code, this.till, query), (n) => this.dispatchEvent(new CustomEvent("loading", { detail: n })));
      await database.keep(this.db, "carried", { ...done, packed: Date.now() });
      this.hasSent = false;
      if (isNew) this.told("pack");
    }
    await journal.prune(this.db);
  }
}
