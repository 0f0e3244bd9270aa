/* What a ticket comes to: by the rules that came with the pack (`rules/totals.js`), as the server would reckon it. What they cannot
   price (goods that are not in the pack, or not for sale any more) is what it was quoted for: it is in the customer's hands.
   Amounts are whole minor units. */

import { coinOf, roundCash } from "../rules/cash.js";
import { perOf, piecesOf } from "../rules/measures.js";
import { share, worth } from "../rules/money.js";
import { localMoment } from "../rules/moments.js";
import { totals } from "../rules/totals.js";

/* The server's clock, by what this one was behind it when it last heard (`offset`, milliseconds or null): prices and promotions have days and
   hours, and this clock may be wrong. */
export const serverNow = (offset) => Date.now() + (offset ?? 0);
export const today = (timeZone, offset) => localMoment(serverNow(offset), timeZone).day;

const FORMAT = 1, WHOLE = 10_000;

/* lines: of the ticket; goods: what is known of each; used: what this till has given by promotion since the rules were made;
   ticket: whose it is, its codes, and what is taken off by hand.
   → {lines: [{…line, reductions: [{promotion, name, amount}], tax_rate, tax, total, taxes: [{rate, tax, total}]}], total, tax, pieces} */
export function reckon(lines, pack, goods, used = {}, ticket = {}, at = serverNow(null)) {
  const ruled = byRules(lines, pack.rules, goods, used, ticket, at);
  const reckoned = lines.map((line, index) => ruled.get(index) ?? quoted(line, pack.store));
  const sum = (name) => reckoned.reduce((whole, line) => whole + line[name], 0);
  return { lines: reckoned, total: sum("total"), tax: sum("tax"), pieces: reckoned.reduce((whole, line) => whole + piecesOf(line.sold_by, line.quantity), 0) };
}

/* What the customer was granted counts as a code that was typed. */
const about = ({ customer = null, codes = [], discounts = [] }) => ({
  customer: Boolean(customer),
  customer_group: customer?.group ?? null,
  codes: [...codes, ...(customer?.promotions ?? []).map((promotion) => ({ code: null, promotion }))],
  discounts,
});

function byRules(lines, rules, goods, used, ticket, at) {
  if (rules?.format !== FORMAT) return new Map();
  const places = new Map();
  lines.forEach((line, index) => places.has(line.variant) || !goods.good(line.variant) || places.set(line.variant, index));
  try {
    for (;;) {
      const basket = [...places].map(([variant, index]) => ({ variant, quantity: lines[index].quantity, good: goods.good(variant) }));
      if (!basket.length) return new Map();
      const answer = totals({ ...about(ticket), lines: basket, used }, rules, at).lines;
      const wrong = answer.filter((line) => line.problem !== null);
      if (!wrong.length) return new Map(answer.map((line) => [places.get(line.variant), ruledLine(lines[places.get(line.variant)], line)]));
      for (const line of wrong) places.delete(line.variant);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new Map(); // a sale is never refused
  }
}

const ruledLine = (line, { unit_price, steps, tax_rate, tax, total, taxes: ways }) => ({
  ...line,
  price: unit_price,
  reductions: steps.map(({ promotion, name, amount, by_hand }) => (by_hand ? { name, amount } : { promotion, name, amount })),
  tax_rate,
  tax,
  total,
  taxes: ways.map((each) => ({ rate: each.tax_rate, tax: each.tax, total: each.total })),
});

function quoted(line, store) {
  const rate = store.tax_rates[line.tax_class] ?? 0;
  const whole = worth(line.price, line.quantity, perOf(line.sold_by));
  const tax = share(whole, rate, store.tax_included ? WHOLE + rate : WHOLE);
  const total = store.tax_included ? whole : whole + tax;
  return { ...line, reductions: [], tax_rate: rate, tax, total, taxes: [{ rate, tax, total }] };
}

/* An amount as coins can pay it. */
export { coinOf, roundCash as inCoins };

/* Tax by rate, the highest first: [[rate, net, tax]]. Lines of before sets were taxed by part have but one rate. */
export function taxes(lines) {
  const rates = new Map();
  for (const line of lines) {
    for (const { rate, tax: part, total } of line.taxes?.length ? line.taxes : [{ rate: line.tax_rate, tax: line.tax, total: line.total }]) {
      const [net, tax] = rates.get(rate) ?? [0, 0];
      rates.set(rate, [net + total - part, tax + part]);
    }
  }
  return [...rates].sort(([a], [b]) => b - a).filter(([rate]) => rate).map(([rate, [net, tax]]) => [rate, net, tax]);
}
