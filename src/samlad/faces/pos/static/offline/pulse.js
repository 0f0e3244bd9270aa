/* What sends for ever: it beats, waits, and beats again; sooner when something has happened, later and later while it fails. And how
   what waits is emptied: in order, in batches, by one window at a time. The till's sender and the outbox of store work are both this. */

import { Away } from "./server.js";

const BATCH = 20;
const FIRST_MS = 1_000, LONGEST_MS = 60_000;

/* A subclass has `beat()`, which throws Away when the server cannot be reached or nobody is signed in. Events: `state`, `away`, and what
   windows of one channel tell each other. */
export class Pulse extends EventTarget {
  constructor(channel, idle) {
    super();
    Object.assign(this, { idle, state: "", tries: 0, timer: 0, isRunning: false });
    this.others = new BroadcastChannel(channel);
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

  be(state) {
    if (this.state === state) return;
    this.state = state;
    this.tell("state");
  }

  async run() {
    if (this.isRunning) {
      this.again = true;
      return;
    }
    this.isRunning = true;
    let pause = this.idle;
    try {
      await this.beat();
    } catch (error) {
      if (!(error instanceof Away)) console.warn("what waits could not be sent", error);
      pause = Math.min(FIRST_MS * 2 ** Math.min(this.tries++, 10), LONGEST_MS) * (0.75 + Math.random() / 2);
      this.be(error instanceof Away ? error.why : "network");
      this.tell("away");
    }
    this.isRunning = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), this.again ? 0 : pause);
    this.again = false;
  }

  /* Everything that waits. Another tab that is at it already does as well.

     `waiting()` answers all of it in order; `send(some)` the verdicts, or null where the server takes none of the whole request: then each
     goes alone, so that one holds up no other. `conclude([[item, verdict or null]])` writes them down; `sending()` and `sent()` are told. */
  empty(lockName, { waiting, send, conclude, sending = () => {}, sent }) {
    const sendThese = async (some) => {
      const verdicts = await send(some);
      if (verdicts === null && some.length > 1) {
        for (const one of some) if (await sendThese([one])) return true;
        return false;
      }
      if (verdicts === null) {
        await conclude([[some[0], null]]);
        return false;
      }
      const said = some.map((item, index) => [item, verdicts[index]]).filter(([, verdict]) => verdict && verdict.verdict !== "later");
      await conclude(said);
      return said.length < some.length;
    };
    return navigator.locks.request(lockName, { ifAvailable: true }, async (lock) => {
      if (!lock) return;
      for (;;) {
        const some = (await waiting()).slice(0, BATCH);
        if (!some.length) return;
        sending();
        const isStuck = await sendThese(some);
        sent();
        if (isStuck) throw new Away("network");
      }
    });
  }
}
