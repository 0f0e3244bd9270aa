/* What is done to the ticket now and then: whose it is, codes, something off by hand, put aside. Without the server. */

import { redeem } from "../rules/codes.js";
import { share } from "../rules/money.js";
import * as panel from "./panel.js";
import { find } from "./people.js";
import { reckon } from "./reckon.js";
import { announce, moment, money, say, typed } from "./screen.js";
import * as ticket from "./ticket.js";

const GIFT_CARD = /^[A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]{15}$/, WITHOUT_END = 2 ** 52;
const NEW = "new", EMAIL = /^[^@\s]{1,64}@[^@\s]+\.[^@\s.]+$/;

export function customer(till) {
  const { open } = till;
  if (!till.day?.members && !till.may("customer-new")) return announce(say("no-people"), "warning");
  panel.open({
    title: say("customer"),
    note: open.customer ? say("customer-is", { name: open.customer.name }) : say("customer-note"),
    fields: [{ name: "q", label: say("customer-find") }],
    rows: async ({ q }) => [
      ...(open.customer ? [{ value: "", text: say("customer-none") }] : []),
      ...(await find(till.day, q)).map(({ id, name }) => ({ value: id, text: name })),
      ...(till.may("customer-new") ? [{ value: NEW, text: say("customer-new") }] : []),
    ],
    pick: async (id, { q }) => (id === NEW ? writeDown(till, q) : attach(till, id ? (await find(till.day, q)).find((each) => each.id === id) : null)),
  });
}

/* Somebody new: who they are goes with the sale, and is forgotten here once it was sent. What was looked for in vain stands where it belongs. */
function writeDown(till, typed) {
  const digits = typed.replace(/\D/g, ""), field = typed.includes("@") ? "email" : digits.length >= 6 ? "phone" : "name";
  panel.open({
    title: say("customer-new"),
    note: say("customer-new-note"),
    fields: [
      { name: "name", label: say("customer-name"), value: field === "name" ? typed : "" },
      { name: "email", label: say("customer-email"), value: field === "email" ? typed : "", mode: "email" },
      { name: "phone", label: say("customer-phone"), value: field === "phone" ? typed : "", mode: "tel" },
    ],
    label: say("customer-put"),
    act: ({ name, email, phone }) => {
      if (email && !EMAIL.test(email)) return say("customer-no-email");
      if (!email && !(name && phone.replace(/\D/g, "").length >= 6)) return say("customer-needs");
      return attach(till, { id: null, name: name || email, group: null, promotions: [], new: { name: name.slice(0, 200), email: email.slice(0, 254), phone: phone.slice(0, 40) } });
    },
  });
}

export async function attach(till, person) {
  await till.change(ticket.set(till.db, { customer: person ?? null }));
  announce(person ? say("customer-is", { name: person.name }) : say("customer-off"), "success");
}

export function code(till) {
  panel.open({
    title: say("code"),
    note: say("code-note"),
    fields: [{ name: "code", label: say("code-field") }],
    label: say("code-use"),
    act: ({ code: text }) => useCode(till, text),
  });
}

async function useCode(till, text) {
  if (!text) return say("fill-in");
  if (GIFT_CARD.test(text.replace(/[\s\-–]/g, "").toUpperCase().replaceAll("O", "0").replaceAll(/[IL]/g, "1"))) return say("gift-card-offline");
  const found = await redeem(text, till.pack.rules);
  if (!found.promotion) return say(found.reason === "offline" ? "code-offline" : "code-unknown");
  const codes = [...till.open.codes.filter((each) => each.code !== found.code), found];
  await till.change(ticket.set(till.db, { codes }));
  const off = till.sums.lines.some(({ reductions }) => reductions.some((each) => each.promotion === found.promotion));
  announce(say(off ? "code-taken" : "code-waits"), off ? "success" : "warning");
}

/* "10 %" takes a part off, "50" an amount, "= 150" is the new price of a piece. */
export function wanted(text) {
  const [, sign, number, percent] = /^(=?)\s*([\d.,\s]+?)\s*(%?)$/.exec(text) ?? [];
  if (number === undefined || (sign && percent)) return null;
  if (percent) {
    const part = Math.round(Number(number.replace(",", ".")) * 100);
    return part > 0 && part <= 10_000 ? { kind: "percent", value: part } : null;
  }
  const value = typed(number);
  return value === null || (!sign && value === 0) ? null : { kind: sign ? "price" : "amount", value };
}

export function discount(till) {
  const lines = till.open.lines;
  if (!lines.length) return announce(say("no-lines"), "warning");
  panel.open({
    title: say("discount"),
    note: say("discount-note", { percent: till.day?.discount_limit ?? 0 }),
    fields: [
      { name: "value", label: say("discount-value") },
      { name: "reason", label: say("reason") },
      { name: "allowed", label: say("discount-allowed") },
    ],
    rows: () => [
      { value: "", text: say("discount-all") },
      ...lines.map(({ variant, title, options }) => ({ value: variant, text: [title, options].filter(Boolean).join(", ") })),
      ...(till.open.discounts.length ? [{ value: "none", text: say("discount-none") }] : []),
    ],
    pick: (variant, values) => give(till, variant, values),
  });
}

async function give(till, target, { value, reason, allowed }) {
  if (target === "none") return void (await till.change(ticket.set(till.db, { discounts: [], allowed_by: null })));
  const what = wanted(value), variant = target || null;
  if (!what || (what.kind === "price" && !variant)) return say("discount-wrong");
  if (!reason) return say("discount-why");
  const others = till.open.discounts.filter((each) => each.variant !== variant);
  const asked = { id: crypto.randomUUID(), variant, ...what, most: WITHOUT_END, reason: reason.slice(0, 120) };
  const off = (discounts) => byHand(reckon(till.open.lines, till.pack, till.goods, till.used, { ...till.open, discounts }, till.at()));
  const worth = off([...others, asked]) - off(others);
  if (worth <= 0) return say("discount-nothing");
  const discounts = [...others, { ...asked, most: worth }], all = off(discounts);
  const whole = reckon(till.open.lines, till.pack, till.goods, till.used, { ...till.open, discounts: [] }, till.at()).total;
  if (all > share(whole, till.day?.discount_limit ?? 0, 100) && !allowed && !till.may("discount-any", false)) return say("discount-over", { amount: money(all) });
  await till.change(ticket.set(till.db, { discounts, allowed_by: allowed || till.open.allowed_by }));
  announce(say("discount-given", { amount: money(worth) }), "success");
}

const byHand = ({ lines }) => lines.flatMap((line) => line.reductions).reduce((sum, each) => sum + (each.promotion ? 0 : each.amount), 0);

export async function parked(till) {
  const aside = await ticket.parked(till.db), pieces = ({ lines }) => lines.reduce((sum, line) => sum + line.quantity, 0);
  panel.open({
    title: say("parked"),
    note: aside.length ? "" : say("parked-none"),
    fields: till.open.lines.length ? [{ name: "label", label: say("park-label") }] : [],
    label: say("park"),
    act: till.open.lines.length ? async ({ label }) => void (await till.change(ticket.park(till.db, label))) : null,
    rows: () =>
      aside.map((each) => ({ value: each.id, text: each.label || each.lines[0]?.title || "–", about: `${moment(each.parked_at)} · ${say("parked-pieces", { n: pieces(each) })}` })),
    pick: async (id) => {
      try {
        await till.change(ticket.resume(till.db, id));
      } catch (error) {
        if (!(error instanceof ticket.Changed)) throw error;
        return say("parked-gone");
      }
    },
  });
}
