/* What is taken off by hand, as `samlad.carts.discount_rules` has it: after promotions, on what is left of a line; first
   those of lines, then the one of the sale. None takes off more than it came to when it was given (most). */

import { allocate, share, sum, worth } from "./money.js";

const WHOLE = 10_000;

/* lines: {variant, quantity, per: what its price is for, left: what it costs after promotions}; discounts: {id, variant or null for the sale, kind:
   percent, amount or price, value, most, reason}. → {variant: steps}. */
export function stepsByHand(lines, discounts) {
  const rest = new Map(lines.map((line) => [line.variant, line.left]));
  const quantities = new Map(lines.map((line) => [line.variant, line]));
  const found = {};
  for (const discount of [...discounts].sort((a, b) => (a.variant === null) - (b.variant === null))) {
    for (const [variant, amount] of parts(rest, quantities, discount)) {
      if (amount <= 0) continue;
      rest.set(variant, rest.get(variant) - amount);
      (found[variant] ??= []).push({ promotion: discount.id, name: discount.reason, amount, by_hand: true });
    }
  }
  return found;
}

function parts(rest, quantities, discount) {
  const { variant, most } = discount;
  if (variant === null) {
    const left = [...rest.values()];
    const split = allocate(Math.min(off(sum(left), 1, discount), most), left);
    return [...rest.keys()].map((each, index) => [each, split[index]]);
  }
  if (!rest.has(variant)) return [];
  return [[variant, Math.min(off(rest.get(variant), quantities.get(variant).quantity, discount, quantities.get(variant).per), most)]];
}

function off(left, quantity, { kind, value }, per = 1) {
  if (kind === "percent") return share(left, value, WHOLE);
  if (kind === "amount") return Math.min(left, value);
  if (kind === "price") return Math.max(0, left - worth(value, quantity, per));
  throw new RangeError(`a discount of an unknown kind: ${kind}`);
}
