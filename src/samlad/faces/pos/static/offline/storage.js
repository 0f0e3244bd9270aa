/* Whether the browser keeps what the till writes: asked for, looked at early, and said. */

import * as database from "./database.js";
import { byId, fill, say } from "./screen.js";

const LOW_BYTES = 200 * 2 ** 20, LOW_PART = 0.9;

/* {isKept, left: bytes or null}; what a browser does not tell is null. */
export async function state() {
  const isKept = (await navigator.storage?.persisted?.().catch(() => null)) || (await navigator.storage?.persist?.().catch(() => null)) || false;
  const { quota, usage } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  return { isKept, left: quota === undefined ? null : quota - usage, isLow: quota !== undefined && (quota - usage < LOW_BYTES || usage > quota * LOW_PART) };
}

/* Says above everything what is wrong: the storage was thrown away, it runs full, or the browser may throw it away. */
export async function look(db) {
  const [lost, { isKept, left, isLow }] = await Promise.all([database.meta(db, "lost"), state()]), said = [];
  if (lost) said.push([lost.numbers.length ? say("storage-lost", { n: lost.numbers.length, numbers: lost.numbers.slice(-5).join(", ") }) : say("storage-was-gone"), "danger"]);
  if (isLow) said.push([say("storage-low", { mb: Math.floor(left / 2 ** 20) }), "warning"]);
  byId("storage").dataset.kept = isKept;
  byId("storage").replaceChildren(...said.map(([text, kind]) => fill("notice", { text, box: (box) => box.classList.add(kind) })));
  byId("storage-state").textContent = [say(isKept ? "storage-kept" : "storage-not-kept"), left === null ? "" : say("storage-left", { mb: Math.floor(left / 2 ** 20) })].join(" ");
}
