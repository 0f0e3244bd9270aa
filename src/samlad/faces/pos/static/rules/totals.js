/* What a ticket comes to without the server: prices, promotions, tax and cash, step by step as `samlad.carts` reckons it.

   Pure: no clock, no network, no page. Amounts are safe integers in minor units; a basket that would pass 2^53 is refused
   with a RangeError. `samlad.tills.rules_pack` makes the rules, and the vectors of its tests hold both to one answer. */

import { whyNot } from "./availability.js";
import { coinOf, roundCash } from "./cash.js";
import { stepsByHand } from "./discounts.js";
import { perOf, piecesOf } from "./measures.js";
import { sum, whole, worth } from "./money.js";
import { choose } from "./prices.js";
import { apply } from "./promotions.js";
import { piecesOf as taxedApart } from "./sets.js";
import { UNKNOWN, decided, moved, movedSteps, quotedRate, reckon, together } from "./tax.js";
import { localMoment } from "./moments.js";

/* basket: {
     lines: [{variant, quantity, good}]   in the order in which they were put in, each variant once; good: what
                                           goods.json says of it, null for what is not known here; of a set its
                                           parts: [{units, tax_class, is_goods, prices}], too
     customer: true if we know who buys   customer_group: theirs, or null
     codes: [{code, promotion}]           as redeem() found them
     discounts: [{id, variant, kind, value, most, reason}]   by hand; see discounts.js
     used: {promotion: {uses, spent}}     what this till has sold since the rules were made
   }
   rules: as rules_pack made them. at: milliseconds since 1970, UTC. */
export function totals(basket, rules, at) {
  whole(at, "at");
  const day = localMoment(at, rules.time_zone).day;
  const lines = basket.lines.map((line) => priced(line, basket, rules, at, day));
  if (new Set(lines.map((line) => line.variant)).size < lines.length) throw new RangeError("a variant is on two lines");
  const found = offers(basket, rules, at);
  const goods = lines.map((line) => ({ key: line.variant, price: line.price, quantity: line.quantity, per: line.per, marks: line.marks }));
  const outcome = apply(goods, found.offers);
  const promoted = (line) => outcome.lines[line.variant] ?? [];
  const left = lines.map((line) => ({ ...line, left: worth(line.price, line.quantity, line.per) - sum(promoted(line).map((step) => step.amount)) }));
  const byHand = stepsByHand(left, basket.discounts ?? []);
  const shown = lines.map((line) => taxable(line, [...promoted(line), ...(byHand[line.variant] ?? [])], rules.tax));
  const reckoned = reckon(shown.flatMap((line) => line.ways), rules.tax.rounding);
  const answer = shown.map((line) => withTax(line, reckoned.splice(0, line.ways.length)));
  const total = sum(answer.map((each) => each.total));
  const rounded = roundCash(total, coinOf(rules));
  const steps = answer.flatMap((line) => line.steps);
  return {
    lines: answer,
    promotions: Object.keys(outcome.applied).map((id) => ({
      promotion: id,
      name: rules.promotions.find((each) => each.id === id).name,
      amount: sum(steps.filter((step) => step.promotion === id).map((step) => step.amount)),
      code: basket.codes?.find((each) => each.promotion === id)?.code ?? null,
    })),
    refused: { ...found.unavailable, ...outcome.refused },
    gifts: outcome.gifts,
    taxes: taxParts(answer),
    items: sum(answer.map((line) => piecesOf(line.sold_by, line.quantity))),
    tax: sum(answer.map((line) => line.tax)),
    reduced: sum(steps.map((step) => step.amount)),
    total,
    cash: { due: rounded, rounding: rounded - total },
  };
}

/* A line with its price, and its problem if it cannot be sold as it stands: unknown, price or not-sold. */
function priced({ variant, quantity, good }, basket, rules, at, day) {
  if (whole(quantity, "quantity") < 1) throw new RangeError(`${variant}: a quantity of ${quantity}`);
  const taxes = good ? decided(rules.tax, good.tax_class, good.is_goods, day) : null;
  if (taxes === null) {
    const marks = [`variant:${variant}`, `product:${variant}`];
    return { variant, quantity, sold_by: "piece", per: 1, price: 0, included: true, home: 0, decision: UNKNOWN, marks, problem: "unknown" };
  }
  const priceOf = (each, pieces) => choose(each.prices, rules.price_lists, { quantity: pieces, at, customer_group: basket.customer_group ?? null });
  const price = priceOf(good, quantity);
  return {
    variant,
    quantity,
    sold_by: good.sold_by ?? "piece",
    per: perOf(good.sold_by),
    price: price?.amount ?? 0,
    included: price?.tax_included ?? rules.prices_include_tax,
    home: taxes.home,
    decision: taxes.decision,
    parts: good.parts?.length
      ? good.parts.map((part) => ({ units: part.units, own: priceOf(part, 1)?.amount ?? 0, ...(decided(rules.tax, part.tax_class, part.is_goods, day) ?? taxes) }))
      : null,
    marks: [`variant:${variant}`, `product:${good.product}`, ...good.marks],
    problem: price === null ? "price" : isSold(good, at) ? null : "not-sold",
  };
}

const isSold = (good, at) => good.is_sold && (good.sold_from === null || good.sold_from <= at) && (good.sold_to === null || at < good.sold_to);

/* The promotions that the ticket may have, and why it may not have the others. */
function offers(basket, rules, at) {
  const here = {
    time_zone: rules.time_zone,
    at,
    customer: basket.customer ?? false,
    customer_group: basket.customer_group ?? null,
    granted: new Set((basket.codes ?? []).map((each) => each.promotion)),
    used: basket.used,
  };
  const unavailable = {};
  const found = [];
  for (const promotion of rules.promotions) {
    const reason = whyNot(promotion, here);
    if (reason !== null) unavailable[promotion.id] = reason;
    else found.push({ ...promotion, left: promotion.left === null ? null : promotion.left - (here.used?.[promotion.id]?.spent ?? 0) });
  }
  return { offers: found, unavailable };
}

/* A line as it is quoted where the goods go; ways: {decision, quoted, rate, included} for each way in which something of it is taxed. */
function taxable(line, taken, tax) {
  const { variant, quantity, sold_by, per, included, problem } = line;
  const there = taxedApart(line, taken).map(({ home, decision, units, price, whole: atList, steps }) => {
    const to = included ? quotedRate(tax, decision, home) : home;
    const unit = moved(price, home, to);
    const all = worth(unit, quantity * units, per);
    const off = movedSteps(steps, atList, all, home, to);
    return { decision, units, unit, steps: off, quoted: all - sum(off.map((step) => step.amount)) };
  });
  return {
    variant,
    quantity,
    sold_by,
    unit_price: sum(there.map(({ unit, units }) => unit * units)),
    tax_included: included,
    steps: there[0].steps.map((step, at) => ({ ...step, amount: sum(there.map(({ steps }) => steps[at].amount)) })),
    problem,
    ways: together(there, included),
  };
}

/* A line from what each of its ways comes to. It is said to be taxed as its largest part is; taxes has all. */
function withTax({ ways, ...line }, amounts) {
  const taxes = ways.map(({ decision }, at) => ({
    tax_rate: decision.rate,
    tax_category: decision.category,
    tax_treatment: decision.treatment,
    tax_country: decision.country,
    tax_note: decision.note,
    ...amounts[at],
  }));
  const { net: _net, tax: _tax, total: _total, ...main } = taxes.reduce((most, each) => (each.total > most.total ? each : most));
  const added = (field) => sum(amounts.map((each) => each[field]));
  return { ...line, ...main, net: added("net"), tax: added("tax"), total: added("total"), taxes };
}

/* Tax by rate and category, the highest rate first: what a receipt says. */
function taxParts(lines) {
  const parts = new Map();
  for (const line of lines.flatMap((each) => each.taxes)) {
    const key = `${line.tax_rate}/${line.tax_category}`;
    const part = parts.get(key) ?? { rate: line.tax_rate, category: line.tax_category, net: 0, tax: 0, total: 0 };
    for (const field of ["net", "tax", "total"]) part[field] = sum([part[field], line[field]]);
    parts.set(key, part);
  }
  return [...parts.values()].sort((a, b) => b.rate - a.rate || (a.category < b.category ? -1 : 1));
}
