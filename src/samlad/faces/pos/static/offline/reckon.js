/* What a ticket comes to: by the rules that came with the pack (`rules/totals.js`), as the server would reckon it. What they cannot
   price (goods that are not in the pack, or not for sale any more) is what it was quoted for: it is in the customer's hands.
   Amounts are whole minor units. */

import { roundCash } from "../rules/cash.js";
import { share } from "../rules/money.js";
import { totals } from "../rules/totals.js";

const FORMAT = 1, WHOLE = 10_000;

/* lines: of the ticket; goods: what is known of each; used: what this till has given by promotion since the rules were made.
   → {lines: [{…line, reductions: [{promotion, name, amount}], tax_rate, tax, total}], total, tax, pieces} */
export function reckon(lines, pack, goods, used = {}, at = Date.now()) {
  const ruled = byRules(lines, pack.rules, goods, used, at);
  const reckoned = lines.map((line, index) => ruled.get(index) ?? quoted(line, pack.store));
  const sum = (name) => reckoned.reduce((whole, line) => whole + line[name], 0);
  return { lines: reckoned, total: sum("total"), tax: sum("tax"), pieces: sum("quantity") };
}

function byRules(lines, rules, goods, used, at) {
  if (rules?.format !== FORMAT) return new Map();
  const places = new Map();
  lines.forEach((line, index) => places.has(line.variant) || !goods.good(line.variant) || places.set(line.variant, index));
  try {
    for (;;) {
      const basket = [...places].map(([variant, index]) => ({ variant, quantity: lines[index].quantity, good: goods.good(variant) }));
      if (!basket.length) return new Map();
      const answer = totals({ lines: basket, used }, rules, at).lines;
      const wrong = answer.filter((line) => line.problem !== null);
      if (!wrong.length) return new Map(answer.map((line) => [places.get(line.variant), ruledLine(lines[places.get(line.variant)], line)]));
      for (const line of wrong) places.delete(line.variant);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new Map(); // a sale is never refused
  }
}

const ruledLine = (line, { unit_price, steps, tax_rate, tax, total }) => ({
  ...line,
  price: unit_price,
  reductions: steps.map(({ promotion, name, amount }) => ({ promotion, name, amount })),
  tax_rate,
  tax,
  total,
});

function quoted(line, store) {
  const rate = store.tax_rates[line.tax_class] ?? 0;
  const whole = line.price * line.quantity;
  const tax = share(whole, rate, store.tax_included ? WHOLE + rate : WHOLE);
  return { ...line, reductions: [], tax_rate: rate, tax, total: store.tax_included ? whole : whole + tax };
}

/* An amount as coins can pay it. */
export const inCoins = roundCash;

/* Tax by rate, the highest first: [[rate, net, tax]]. */
export function taxes(lines) {
  const rates = new Map();
  for (const line of lines) {
    const [net, tax] = rates.get(line.tax_rate) ?? [0, 0];
    rates.set(line.tax_rate, [net + line.total - line.tax, tax + line.tax]);
  }
  return [...rates].sort(([a], [b]) => b - a).filter(([rate]) => rate).map(([rate, [net, tax]]) => [rate, net, tax]);
}
