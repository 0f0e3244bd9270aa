/* What was taken along for a day (`samlad.tills.day`): members, pick-ups, receipts, drawers. People do not stay on a device that hears
   nothing for days, or where nobody is signed in any more. */

import { ask, meta, write } from "./database.js";
import { fold } from "./goods.js";

const MOST_FOUND = 12, PHONE_DIGITS = 8, DAY_MS = 86_400_000;
const ID = 0, NAME = 1, CODE = 2, PHONE = 3, GROUP = 4, PROMOTIONS = 5;
const MEMBER = /^M[0-9A-Z]{11}$/;

export async function hashed(salt, text) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${salt}${text}`)));
  return [...hash.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const plain = (text) => text.replace(/[\s\-–]/g, "").toUpperCase();
export const isMember = (text) => MEMBER.test(plain(text));

const person = (row) => ({ id: row[ID], name: row[NAME], group: row[GROUP], promotions: row[PROMOTIONS] });

/* Members by the code of their card, by a whole phone number, or by a part of their name. */
export async function find(day, text) {
  const members = day?.members ?? [], digits = text.replace(/\D/g, "");
  if (isMember(text)) {
    const key = await hashed(day.salt, plain(text));
    return members.filter((row) => row[CODE] === key).map(person);
  }
  if (digits.length >= PHONE_DIGITS) {
    const key = await hashed(day.salt, digits.slice(-PHONE_DIGITS));
    return members.filter((row) => row[PHONE] === key).map(person);
  }
  const wanted = fold(text).split(/\s+/).filter(Boolean);
  if (text.trim().length < 2) return [];
  return members.filter((row) => wanted.every((word) => fold(row[NAME]).includes(word))).slice(0, MOST_FOUND).map(person);
}

/* Without contact for too long, or (`isOut`) nobody signed in: whoever is named goes. What is parked or on the ticket keeps its sale. */
export async function forget(database, { isOut = false, now = Date.now() } = {}) {
  const day = await meta(database, "day");
  if (!day?.heard || (!isOut && now - day.heard < day.forget_days * DAY_MS)) return day;
  if (day.members === null && !day.pick_ups.length && !day.receipts.length) return day;
  const kept = { ...day, members: null, pick_ups: [], receipts: [], tag: null };
  await write(database, ["meta"], (transaction) => ask(transaction.objectStore("meta").put(kept, "day")));
  return kept;
}
