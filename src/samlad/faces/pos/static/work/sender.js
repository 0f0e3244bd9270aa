/* Sends the outbox of store work, and brings what there is to do. */

import { Pulse } from "../offline/pulse.js";
import { Away, here, post, readJson, request } from "../offline/server.js";
import * as queue from "./queue.js";

const IDLE_MS = 15_000, TASKS_MS = 60_000;

export class Sender extends Pulse {
  constructor(db, code) {
    super(`work-${code}`, IDLE_MS);
    Object.assign(this, { db, code, base: `/pos/work/${code}/phone`, hasSent: true, asked: 0 });
  }

  async beat() {
    const said = await here(`${this.base}/here`).catch(async (error) => {
      if (error.why === "sign-in") await this.leave();
      throw error;
    });
    const before = await queue.meta(this.db, "who");
    if (before && before.id !== said.who.id) await queue.forget(this.db); // of somebody else, who may see otherwise
    await queue.write(this.db, ["meta"], async (transaction) => {
      const store = transaction.objectStore("meta");
      await queue.ask(store.put(said.who, "who"));
      await queue.ask(store.put({ offset: said.offset, asked: said.asked }, "clock"));
      await queue.ask(store.put(Date.now(), "heard"));
    });
    if (before?.id !== said.who.id) this.hasSent = true;
    this.be("online");
    await this.empty(`work-send-${this.code}`, {
      waiting: () => queue.unsent(this.db),
      send: (items) => this.send(said.csrf, items),
      conclude: (verdicts) => queue.conclude(this.db, verdicts),
      sent: () => {
        this.hasSent = true;
        this.told("queue");
      },
    });
    this.tries = 0;
    if (this.hasSent || Date.now() - this.asked > TASKS_MS) await this.fetch();
    await queue.prune(this.db);
  }

  /* Signed out, or no longer of this place. */
  async leave() {
    await queue.forget(this.db);
    this.told("tasks");
  }

  async send(token, items) {
    const again = items.filter((item) => item.again).map(({ id }) => id);
    const answer = await post(`${this.base}/send`, token, { entries: items.map(({ entry }) => entry), again });
    return answer.ok ? (await readJson(answer)).verdicts : null;
  }

  async fetch() {
    const asked = Date.now(), answer = await request(`${this.base}/tasks`, {}, 30_000);
    if (!answer.ok) throw new Away("network");
    await queue.keep(this.db, "tasks", { ...(await readJson(answer)), asked });
    [this.hasSent, this.asked] = [false, asked];
    this.told("tasks");
  }
}
