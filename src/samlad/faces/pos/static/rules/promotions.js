/* The engine of promotions, as `samlad.promotions.rules` has it: lines, offers and the price of shipping in, reductions out.
   Which of them may be had at all is asked of availability.js before. Held to the server's answers by the shared vectors. */

import { allocate, share, sum, times, worth } from "./money.js";

const WHOLE = 10_000;
const SHIPPING = "shipping";
const KINDS = { products: "product", variants: "variant", categories: "category", collections: "collection", brands: "brand" };

/* What goods of these bear, as the marks of lines have it; empty is everything. Brands come folded from the server. */
export function marksOf(goods = {}) {
  return new Set(Object.entries(KINDS).flatMap(([list, kind]) => (goods[list] ?? []).map((each) => `${kind}:${each}`)));
}

const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/* What is weighed or measured (a price for `per` of it) is one piece to whoever counts pieces. */
const per = (line) => line.per ?? 1;
const pieces = (line) => (per(line) === 1 ? line.quantity : 1);
const at = (line, price) => worth(price, line.quantity, per(line));
const onePiece = (line) => (per(line) === 1 ? line.price : at(line, line.price));

class Cart {
  constructor(lines, shipping) {
    this.lines = [...lines].sort((a, b) => onePiece(a) - onePiece(b) || byText(a.key, b.key));
    this.paid = new Map(lines.map((line) => [line.key, at(line, line.price)]));
    this.paid.set(SHIPPING, shipping);
    this.steps = new Map();
    this.reduced = new Set();
    this.closed = new Set();
  }

  matching(goods, without = null) {
    const wanted = marksOf(goods);
    const fits = (line) => wanted.size === 0 || line.marks.some((mark) => wanted.has(mark));
    return this.lines.filter((line) => fits(line) && (without === null || !line.marks.includes(without)));
  }

  /* What so many pieces of a line come to now. */
  value(line, wanted) {
    return share(this.paid.get(line.key), wanted, pieces(line));
  }

  taken(offer) {
    return offer.combination === "line" ? this.reduced : this.closed;
  }

  freeFor(offer, lines) {
    return lines.filter((line) => !this.taken(offer).has(line.key));
  }

  take(offer, parts) {
    for (const [key, amount] of parts) {
      if (amount <= 0) continue;
      this.paid.set(key, this.paid.get(key) - amount);
      if (!this.steps.has(key)) this.steps.set(key, []);
      this.steps.get(key).push({ promotion: offer.id, name: offer.name, amount });
      this.reduced.add(key);
      if (offer.combination === "line") this.closed.add(key);
    }
  }
}

/* lines: {key, price, quantity, marks}; offers: {id, name, terms, priority, combination, left}.
   → {lines: {key: steps}, shipping: steps, applied: {id: amount}, refused: {id: reason}, gifts}. */
export function apply(lines, offers, shipping = 0) {
  const fresh = new Cart(lines, shipping);
  const gains = new Map(offers.map((offer) => [offer.id, total(reductions(fresh, offer))]));
  const order = (a, b) => (b.priority ?? 0) - (a.priority ?? 0) || gains.get(b.id) - gains.get(a.id) || byText(a.id, b.id);
  const cart = new Cart(lines, shipping);
  const applied = {};
  const refused = {};
  const gifts = [];
  let isAlone = false;
  for (const offer of [...offers].sort(order)) {
    let reason = unmet(cart, offer.terms);
    if (reason === null && (isAlone || (offer.combination === "none" && Object.keys(applied).length))) reason = "combination";
    if (reason !== null) {
      refused[offer.id] = reason;
      continue;
    }
    const parts = reductions(cart, offer);
    const amount = total(parts);
    const gift = stillToGive(cart, offer);
    if (gift) gifts.push(gift);
    if (amount === 0) refused[offer.id] = whyNothing(cart, offer, gains.get(offer.id));
    else if ((offer.left ?? null) !== null && amount > offer.left) refused[offer.id] = "budget";
    else {
      cart.take(offer, parts);
      applied[offer.id] = amount;
      isAlone = offer.combination === "none";
    }
  }
  const sent = cart.steps.get(SHIPPING) ?? [];
  cart.steps.delete(SHIPPING);
  return { lines: Object.fromEntries(cart.steps), shipping: sent, applied, refused, gifts };
}

const total = (parts) => sum([...parts.values()]);

function whyNothing(cart, offer, gain) {
  if (gain) return "combination";
  return offer.terms.effect.kind === "free_shipping" && cart.paid.get(SHIPPING) === 0 ? "shipping" : "nothing";
}

/* What of a promotion's conditions is not met: goods or minimum, else null. A gift does not earn itself. */
function unmet(cart, terms) {
  const gift = terms.effect.kind === "gift" ? `variant:${terms.effect.variant}` : null;
  const found = cart.matching(terms.goods, gift);
  if (!found.length) return "goods";
  const many = sum(found.map(pieces));
  const amount = sum(found.map((line) => at(line, line.price)));
  return many >= (terms.minimum_quantity ?? 0) && amount >= (terms.minimum_amount ?? 0) ? null : "minimum";
}

/* What a promotion takes off each line now, as a map by key; conditions and budget are not looked at. */
function reductions(cart, offer) {
  const effect = offer.terms.effect;
  if (effect.kind === "free_shipping") return freeShipping(cart, offer, effect);
  const lines = cart.freeFor(offer, cart.matching(offer.terms.goods));
  switch (effect.kind) {
    case "percent":
      return percentOff(cart, lines, effect.percent);
    case "amount":
      return effect.each ? each(lines, (line) => Math.min(cart.paid.get(line.key), at(line, effect.amount))) : spread(cart, lines, effect.amount);
    case "fixed_price":
      return each(lines, (line) => Math.max(0, cart.paid.get(line.key) - at(line, effect.price)));
    case "tiers":
      return tiersOff(cart, lines, offer.terms, effect);
    case "buy_get":
      return buyGet(cart, lines, offer, effect);
    case "bundle":
      return bundle(cart, offer, effect);
    case "gift":
      return cheapest(cart, cart.freeFor(offer, cart.matching({ variants: [effect.variant] })), effect.quantity ?? 1, WHOLE);
    default:
      throw new RangeError(`a promotion of an unknown kind: ${effect.kind}`);
  }
}

const each = (lines, amount) => new Map(lines.map((line) => [line.key, amount(line)]));

function freeShipping(cart, offer, effect) {
  if (cart.taken(offer).has(SHIPPING)) return new Map();
  const left = cart.paid.get(SHIPPING);
  return new Map([[SHIPPING, Math.min(left, effect.at_most ?? left)]]);
}

const percentOff = (cart, lines, percent) => each(lines, (line) => share(cart.paid.get(line.key), percent, WHOLE));

/* An amount off all lines together, in proportion to what they cost; exact, and no line below zero. */
function spread(cart, lines, amount) {
  const weights = lines.map((line) => cart.paid.get(line.key));
  const parts = allocate(Math.min(amount, sum(weights)), weights);
  return new Map(lines.map((line, index) => [line.key, parts[index]]));
}

function tiersOff(cart, lines, terms, effect) {
  const reached = sum(cart.matching(terms.goods).map((line) => effect.by_quantity ? pieces(line) : at(line, line.price)));
  const fitting = effect.tiers.filter((tier) => tier.at_least <= reached);
  if (!fitting.length) return new Map();
  const best = fitting.reduce((a, b) => (b.at_least > a.at_least ? b : a));
  return (best.percent ?? null) === null ? spread(cart, lines, best.amount ?? 0) : percentOff(cart, lines, best.percent);
}

function buyGet(cart, lines, offer, effect) {
  const count = (some) => sum(some.map(pieces));
  let given = lines;
  let often;
  if ((effect.get_goods ?? null) === null) often = Math.floor(count(lines) / (effect.buy + effect.get));
  else {
    given = cart.freeFor(offer, cart.matching(effect.get_goods));
    const keys = new Set(given.map((line) => line.key));
    often = Math.floor(count(lines.filter((line) => !keys.has(line.key))) / effect.buy);
  }
  often = Math.min(often, effect.times ?? often);
  return cheapest(cart, given, times(often, effect.get), effect.percent ?? WHOLE);
}

/* So many of the cheapest pieces (by list price, then key: the order of cart.lines) reduced. */
function cheapest(cart, lines, wanted, percent) {
  let left = wanted;
  return each(lines, (line) => {
    const taken = Math.min(left, pieces(line));
    left -= taken;
    return share(cart.value(line, taken), percent, WHOLE);
  });
}

function bundle(cart, offer, effect) {
  const choices = effect.parts.map((part) => cart.freeFor(offer, cart.matching(part.goods)));
  let most = sum(cart.lines.map(pieces));
  most = Math.min(most, effect.times ?? most);
  most = last(most, (often) => fill(choices, effect, often) !== null);
  // The dearest go first, so that a bundle saves at most what the one before it does: what is cheap already is left out.
  const gain = (often) => {
    const filled = fill(choices, effect, often) ?? new Map();
    return sum(inBundles(cart, filled).map((line) => cart.value(line, filled.get(line.key)))) - times(often, effect.price);
  };
  let best = last(most, (often) => gain(often) > gain(often - 1));
  if (gain(most) > gain(best)) best = most;
  const filled = fill(choices, effect, best) ?? new Map();
  const taken = inBundles(cart, filled);
  const values = taken.map((line) => cart.value(line, filled.get(line.key)));
  const parts = allocate(Math.max(0, sum(values) - times(best, effect.price)), values);
  return new Map(taken.map((line, index) => [line.key, parts[index]]));
}
function inBundles(cart, filled) {
  return cart.lines.filter((line) => filled.get(line.key));
}
/* The last of the numbers from 1 to `most` for which it holds, 0 if for none; it holds for all before it. By halving. */
function last(most, holds) {
  let least = 0;
  while (least < most) {
    const middle = Math.floor((least + most + 1) / 2);
    if (holds(middle)) least = middle;
    else most = middle - 1;
  }
  return least;
}
/* Pieces of each line for so many bundles, the dearest first; null if there are not enough. */
function fill(choices, effect, often) {
  const used = new Map();
  for (const [index, part] of effect.parts.entries()) {
    let wanted = times(part.quantity ?? 1, often);
    for (const line of [...choices[index]].reverse()) {
      const before = used.get(line.key) ?? 0;
      const taken = Math.min(wanted, pieces(line) - before);
      used.set(line.key, before + taken);
      wanted -= taken;
    }
    if (wanted) return null;
  }
  return used;
}

function stillToGive(cart, offer) {
  const effect = offer.terms.effect;
  if (effect.kind !== "gift") return null;
  const there = sum(cart.matching({ variants: [effect.variant] }).map(pieces));
  const missing = (effect.quantity ?? 1) - there;
  return missing > 0 ? { promotion: offer.id, name: offer.name, variant: effect.variant, quantity: missing } : null;
}
