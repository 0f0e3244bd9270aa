/* Gift cards without the server. One that was looked up in this store pays up to the store's limit and what was on it when that was said;
   one of the printed numbers is sold, and is worth something once that was sent. The code itself is written down nowhere. */

import * as journal from "./journal.js";
import * as panel from "./panel.js";
import { hashed } from "./people.js";
import { announce, money, say, typed } from "./screen.js";
import * as ticket from "./ticket.js";

const CARD = /^[A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]{16}$/, ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* The code that was typed or scanned (`samlad.credit.codes`), or null: its check character is ISO 7064 mod 37, 36. */
export function read(text) {
  const plain = text.replace(/[\s\-–]/g, "").toUpperCase().replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  if (!CARD.test(plain)) return null;
  let check = 18;
  for (const sign of plain) check = (((check || 36) * 2) % 37 + ALPHABET.indexOf(sign)) % 36;
  return check === 1 ? plain : null;
}

export async function nameOf(code) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`gift-card:${code}`)));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* What a card may pay here now, minor units; null where it is not known. What this till took of it since counts. */
export async function room(database, day, card) {
  const key = await hashed(day?.salt ?? "", card), known = (day?.cards ?? []).find(([each]) => each === key);
  if (!known) return null;
  let unsent = 0, since = 0;
  for (const { entry, state, at } of await journal.all(database)) {
    const taken = entry.training ? 0 : (entry.tenders ?? []).reduce((sum, each) => sum + (each.card === card ? each.amount : 0), 0);
    if (state !== journal.SENT) unsent += taken;
    if (state !== journal.SENT || at > day.heard) since += taken;
  }
  return Math.max(0, Math.min(day.card_limit - unsent, known[1] - since));
}

export function redeem(till) {
  if (!till.open.lines.length || till.open.cards.length) return announce(say(till.open.cards.length ? "gift-card-no-card" : "no-lines"), "warning");
  if (!till.day?.card_limit) return announce(say("gift-card-offline"), "warning");
  panel.open({
    title: say("gift-card"),
    note: say("gift-card-note", { limit: money(till.day.card_limit) }),
    fields: [{ name: "code", label: say("gift-card-code") }],
    label: say("gift-card-take"),
    act: ({ code }) => take(till, code),
  });
}

async function take(till, text) {
  const code = read(text);
  if (!code) return say("gift-card-wrong");
  const card = await nameOf(code);
  if (till.open.tenders.some((each) => each.card === card)) return say("gift-card-once");
  const left = await room(till.db, till.day, card);
  if (left === null) return say("gift-card-unknown");
  const amount = Math.min(left, till.due());
  if (amount <= 0) return say("gift-card-empty");
  await till.pay({ kind: "gift", amount, card, last_four: code.slice(-4) });
}

export function sell(till) {
  panel.open({
    title: say("gift-card-sell"),
    note: say("gift-card-sell-note"),
    fields: [
      { name: "code", label: say("gift-card-code") },
      { name: "amount", label: say("gift-card-amount"), mode: "decimal" },
    ],
    label: say("gift-card-put"),
    act: ({ code, amount }) => put(till, code, amount),
    rows: () => till.open.cards.map((each) => ({ value: each.card, text: say("gift-card-off", { four: each.last_four, amount: money(each.amount) }) })),
    pick: async (card) => void (await till.change(ticket.set(till.db, { cards: till.open.cards.filter((each) => each.card !== card) }))),
  });
}

async function put(till, text, typedAmount) {
  const code = read(text), amount = typed(typedAmount);
  if (!code) return say("gift-card-wrong");
  if (!amount) return say("fill-in");
  const card = await nameOf(code);
  if (till.open.tenders.length || till.open.cards.some((each) => each.card === card)) return say("gift-card-once");
  await till.change(ticket.set(till.db, { cards: [...till.open.cards, { card, last_four: code.slice(-4), amount }] }));
}
