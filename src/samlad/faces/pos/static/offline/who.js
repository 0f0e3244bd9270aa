/* Who is on, without the server: a name is tapped and a PIN typed, or a badge scanned. What each may do, the slow hash of their PIN and
   the hash of their badge came with the day (`samlad.tills.day`). Wrong PINs are paused as on the server; the count is on the disk.

   meta "clerk" is who the server said was on: null is locked. meta "on" is who went on here since: {id or null, name, over: who the server
   had on then}. `Sender.settle` brings both together. */

import { ask, keep, meta, write } from "./database.js";
import { hashed } from "./people.js";

const FREE = 5, FIRST_MS = 30_000, LONGEST_MS = 900_000, DAY_MS = 86_400_000;
const ASKED = ["discount", "discount-any", "returns", "returns-any", "pick-ups", "drawer", "customer-new"]; // `samlad.tills.day.ACTS`; the rest is everybody's
const BADGE = /^K[0-9A-HJKMNP-TV-Z]{19}$/;

/* Who is on: {id, name}; null: locked; undefined: nobody was ever named here. */
export async function read(database) {
  const on = await meta(database, "on");
  if (!on) return meta(database, "clerk");
  return on.id === null ? null : { id: on.id, name: on.name };
}

export const put = async (database, person) =>
  keep(database, "on", { id: person?.id ?? null, name: person?.name ?? "", over: (await meta(database, "clerk"))?.id ?? null });

export const known = (day) => day?.clerks ?? [];

/* Whether anybody can go on here: by a PIN that is carried, or a badge. */
export const canOpen = (day) => known(day).some(({ pin, badge }) => pin || badge);

/* Nothing goes on here before somebody is on. Where nobody could be, selling counts more. */
export const isLocked = (clerk, day) => clerk === null && canOpen(day);

/* Whether whoever is on may do something. Of whom nothing is known (no PIN, no badge) the server says so later; what only some
   may do (`unknown` false) they may not. Where somebody has locked the till, and nobody can open it here, it sells and no more. */
export const may = (clerk, day, act, unknown = true) => {
  if (!ASKED.includes(act)) return true;
  if (clerk === null && known(day).length) return false;
  return known(day).find((each) => each.id === clerk?.id)?.may.includes(act) ?? unknown;
};

/* Why somebody's PIN cannot be looked at here, as what is said (`pin-not-long`, `pin-not-none`, `pin-not-all`), or null. */
export const whyNotPin = (person, day) => (person && !person.pin ? `pin-not-${day.pins ?? "all"}` : null);

/* One more try of somebody's PIN, written down before it is looked at; milliseconds to wait, or 0. A clock that was set back gains nothing. */
export const charge = (database, id, now = Date.now()) =>
  write(database, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta"), all = (await ask(store.get("tries"))) ?? {};
    let one = all[id] ?? { failed: 0, at: now, until: 0 };
    if (now < one.at) one = { ...one, at: now, until: now + Math.max(0, one.until - one.at) };
    else if (now - one.at > DAY_MS) one = { failed: 0, at: now, until: 0 };
    const wait = Math.max(0, one.until - now);
    if (!wait) {
      const failed = one.failed + 1;
      one = { failed, at: now, until: failed < FREE ? 0 : now + Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failed - FREE, 20)) };
    }
    await ask(store.put({ ...all, [id]: one }, "tries"));
    return wait;
  });

const settle = (database, id) =>
  write(database, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta"), { [id]: _, ...others } = (await ask(store.get("tries"))) ?? {};
    await ask(store.put(others, "tries"));
  });

const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

export async function isPin({ salt, rounds, hash }, pin) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
  const made = new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: rounds }, key, 256));
  const wanted = bytes(hash);
  return made.length === wanted.length && made.reduce((differs, byte, at) => differs | (byte ^ wanted[at]), 0) === 0;
}

/* {person}, or {wait: milliseconds}, or {why: whyNotPin}, or {}. */
export async function find(database, day, chosen, text) {
  const badge = text.trim().toUpperCase();
  if (BADGE.test(badge)) {
    const whole = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(badge));
    const key = await hashed(day.salt, [...new Uint8Array(whole)].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
    return { person: known(day).find((each) => each.badge === key) };
  }
  const person = known(day).find((each) => each.id === chosen);
  if (!person?.pin) return { why: whyNotPin(person, day) };
  const wait = await charge(database, person.id);
  if (wait) return { wait };
  if (!(await isPin(person.pin, text))) return {};
  await settle(database, person.id);
  return { person };
}
