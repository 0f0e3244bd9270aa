/* Sends what is unsent, in order, until the server has said that it has it. One tab at a time; for ever, with longer pauses. */

import * as database from "./database.js";
import * as journal from "./journal.js";
import { Away, day, here, lease, lock, page, send, tell } from "./server.js";
import { refresh } from "./goods.js";

const BATCH = 20;
const FIRST_MS = 1_000, LONGEST_MS = 60_000, IDLE_MS = 30_000;
const SOON_MS = 60_000, DAY_MS = 2 * 60_000, PACK_MS = 5 * 60_000, LEASE_MS = 30 * 60_000;

export class Sender extends EventTarget {
  /* `idle`: after how many milliseconds it asks again while there is nothing to send. */
  constructor(db, code, till, idle = IDLE_MS) {
    super();
    Object.assign(this, { db, code, till, idle, base: `/pos/${code}`, state: "", tries: 0, timer: 0, isRunning: false, hasSent: false });
    this.others = new BroadcastChannel(`till-${code}`);
    this.others.onmessage = (event) => this.tell(event.data);
    addEventListener("online", () => this.wake());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.wake());
  }

  tell(what) {
    this.dispatchEvent(new CustomEvent(what));
  }

  /* Something has changed that other tabs show, too. */
  told(what) {
    this.others.postMessage(what);
    this.tell(what);
  }

  wake() {
    clearTimeout(this.timer);
    this.tries = 0;
    this.run();
  }

  async run() {
    if (this.isRunning) {
      this.again = true;
      return;
    }
    this.isRunning = true;
    let pause = this.idle;
    try {
      const said = await here(this.base);
      await database.keep(this.db, "clock", { offset: said.offset, asked: said.asked });
      await this.settle(said);
      this.be("online");
      await this.empty(said.csrf);
      await this.report(said.csrf);
      this.tries = 0;
      await this.carry(said.csrf).catch((error) => console.warn("the till has what it had", error)); // sales matter more
    } catch (error) {
      if (!(error instanceof Away)) console.warn("the till could not send", error);
      pause = Math.min(FIRST_MS * 2 ** Math.min(this.tries++, 10), LONGEST_MS) * (0.75 + Math.random() / 2);
      this.be(error instanceof Away ? error.why : "network");
      this.tell("away");
    }
    this.isRunning = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), this.again ? 0 : pause);
    this.again = false;
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

  be(state) {
    if (this.state === state) return;
    this.state = state;
    this.tell("state");
  }

  /* Everything that is unsent. Another tab that is at it already does as well. */
  empty(token) {
    return navigator.locks.request(`till-send-${this.code}`, { ifAvailable: true }, async (lock) => {
      if (!lock) return;
      for (;;) {
        const waiting = (await journal.unsent(this.db)).slice(0, BATCH);
        if (!waiting.length) return;
        this.tell("sending");
        const isStuck = await this.sendThese(token, waiting);
        this.told("journal");
        this.hasSent = true; // what there is has changed
        if (isStuck) throw new Away("network");
      }
    });
  }

  /* Whether the server wants some of them again later. */
  async sendThese(token, sales) {
    const verdicts = await send(this.code, token, sales.map(({ entry }) => entry));
    if (verdicts === null && sales.length > 1) {
      for (const sale of sales) if (await this.sendThese(token, [sale])) return true;
      return false;
    }
    if (verdicts === null) {
      await journal.conclude(this.db, [[sales[0].id, journal.REFUSED, null]]); // it stays, is shown, and holds up no other
      return false;
    }
    const said = verdicts.flatMap((verdict, index) => (verdict.verdict === "later" ? [] : [[sales[index].id, journal.SENT, verdict]]));
    await journal.conclude(this.db, said);
    return said.length < sales.length;
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
