/* Tax of what is handed over in the store, as `samlad.tax.rules` and `samlad.carts.taxing` reckon it. Which rate and rule
   hold for a class from which day on was decided by the server and came along: there is no second copy of the law here. */

import { allocate, share, sum } from "./money.js";

const WHOLE = 10_000;

/* Of something that is not known here: it cannot be sold as it stands. */
export const UNKNOWN = { rate: 0, category: "O", treatment: "outside", country: null, note: null };

/* {home: the rate in prices, decision} of a class on a day (2026-11-26), or null for a class that did not come along. */
export function decided(tax, taxClass, isGoods, day) {
  const spans = tax.classes[`${taxClass}/${isGoods ? "goods" : "service"}`];
  return spans ? (spans.findLast((span) => span.from <= day) ?? spans[0]) : null;
}

const taxOf = (quoted, rate, included) => share(quoted, rate, included ? WHOLE + rate : WHOLE);

function amounts({ quoted, rate, included }, tax = taxOf(quoted, rate, included)) {
  return included ? { net: quoted - tax, tax, total: quoted } : { net: quoted, tax, total: quoted + tax };
}

/* What lines {quoted, rate, included} come to: {net, tax, total} each. Rounded once a line (rounding: line), or once a rate
   and shared so that no unit is lost (total). */
export function reckon(lines, rounding) {
  if (rounding === "line") return lines.map((line) => amounts(line));
  const groups = new Map();
  for (const [index, line] of lines.entries()) {
    const key = `${line.rate}/${line.included}`;
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  const taxes = [];
  for (const members of groups.values()) {
    const { rate, included } = lines[members[0]];
    const quoted = members.map((index) => lines[index].quoted);
    const parts = allocate(taxOf(sum(quoted), rate, included), quoted);
    for (const [place, index] of members.entries()) taxes[index] = parts[place];
  }
  return lines.map((line, index) => amounts(line, taxes[index]));
}

/* Pieces {decision, quoted} of a line by the way in which they are taxed, in their order: {decision, quoted, rate, included} each. */
export function together(pieces, included) {
  const ways = new Map();
  for (const { decision, quoted } of pieces) {
    const key = JSON.stringify(decision), before = ways.get(key)?.quoted ?? 0;
    ways.set(key, { decision, quoted: before + quoted, rate: decision.rate, included });
  }
  return [...ways.values()];
}

/* A price with tax of one rate in it as one with another rate in it: the net stays, but for rounding. */
export const moved = (amount, rate, to) => (rate === to ? amount : share(amount, WHOLE + to, WHOLE + rate));

/* The rate that is in prices as they are shown: that at home, or where net prices stay the one that is due. */
export function quotedRate(tax, decision, home) {
  const keepsNet = tax.foreign_price === "net" || (tax.foreign_price === "net_if_untaxed" && decision.rate === 0);
  const isAtHome = decision.country === tax.country && decision.rate > 0;
  return keepsNet && !isAtHome ? decision.rate : home;
}

/* Steps as they are quoted where the goods go: what was free stays free, and nothing goes below that. */
export function movedSteps(taken, price, there, home, to) {
  if (home === to || !taken.length) return taken;
  const steps = taken.map((step) => step.amount);
  const all = sum(steps);
  const parts = allocate(all >= price ? there : Math.min(there, moved(all, home, to)), steps);
  return taken.map((step, index) => ({ ...step, amount: parts[index] }));
}
