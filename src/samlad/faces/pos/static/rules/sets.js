/* What of a line is taxed by a class of its own: of a set each of its parts, at its share of the set's price and of what is taken
   off it, as `samlad.carts.set_prices` and `samlad.carts.pieces` spread them. */

import { allocate, sum, times, worth } from "./money.js";

/* Prices of parts {own: what one costs alone, units: how many in one set}: [{part: its place, price, units}], which come to the price
   of the set. Where it does not come out even, parts that are single bear the difference, then whole parts, then some of one part. */
export function partPrices(price, parts) {
  const own = parts.map((part) => times(part.own, part.units));
  const weights = own.every(Boolean) ? own : parts.map((part) => part.units);
  const prices = allocate(price, weights).map((amount, at) => Math.floor(amount / parts[at].units));
  let rest = price - sum(prices.map((each, at) => each * parts[at].units));
  const dearest = [...parts.keys()].sort((a, b) => weights[b] - weights[a] || a - b);
  const single = dearest.find((at) => parts[at].units === 1);
  if (single !== undefined) {
    prices[single] += rest;
    rest = 0;
  }
  const fewest = [...parts.keys()].reduce((least, at) => (parts[at].units < parts[least].units ? at : least), 0);
  const most = [...dearest].sort((a, b) => parts[b].units - parts[a].units);
  while (rest >= parts[fewest].units) {
    for (const at of most) {
      if (parts[at].units > rest) continue;
      prices[at] += 1;
      rest -= parts[at].units;
    }
  }
  const found = parts.map(({ units }, part) => ({ part, price: prices[part], units }));
  if (rest) {
    const { price: each, units } = found[fewest];
    found.splice(fewest, 1, { part: fewest, price: each + 1, units: rest }, { part: fewest, price: each, units: units - rest });
  }
  return found;
}

/* The pieces {home, decision, units, price, whole, steps, quoted} of a line less what was taken off it; of no set it is one. */
export function piecesOf({ quantity, per, price, home, decision, parts }, taken) {
  if (!parts) return [quotedOf({ home, decision, units: 1, price, whole: worth(price, quantity, per), steps: taken })];
  const found = partPrices(price, parts);
  const whole = found.map((each) => times(each.price * each.units, quantity));
  const steps = spread(taken, whole);
  return found.map(({ part, price: each, units }, at) => {
    const { home: rate, decision: way } = parts[part];
    return quotedOf({ home: rate, decision: way, units, price: each, whole: whole[at], steps: steps[at] });
  });
}

const quotedOf = (piece) => ({ ...piece, quoted: piece.whole - sum(piece.steps.map((step) => step.amount)) });

/* What each step takes off each piece: in proportion to what the steps before it have left. */
function spread(taken, whole) {
  const left = [...whole], found = whole.map(() => []);
  for (const step of taken) {
    for (const [at, amount] of allocate(step.amount, telling(left, whole)).entries()) {
      found[at].push({ ...step, amount });
      left[at] -= amount;
    }
  }
  return found;
}

/* Weights that say something: where all are 0, others; where those are, too, evenly. */
const telling = (first, otherwise) => [first, otherwise].find((each) => each.some(Boolean)) ?? first.map(() => 1);
