/* Cash in coins that there are, as `samlad.payments.rules` rounds it. */

import { sum } from "./money.js";

/* Of a till that has not fetched its rules anew since coins had more than a size. */
export const coinOf = (from) => from.cash ?? { step: from.cash_step };

/* The nearest multiple of the smallest coin (its step in minor units; 1: every amount can be paid), halves away from
   zero; no more than a coin becomes at least one (small: "up") or stays ("exact"; "kept": only what would come to nothing) where the
   law says so. */
export function roundCash(amount, { step, small = "nearest" }) {
  const size = Math.abs(amount);
  const whole = size + Math.floor(step / 2);
  let rounded = whole - (whole % step);
  if (small === "kept") rounded ||= size;
  else if (small !== "nearest" && size > 0 && size <= step) rounded = small === "exact" ? size : step;
  return amount < 0 ? 0 - rounded : rounded;
}

/* What each payment {provider, amount or null for the rest} pays, and the rounding that cash adds to the total.
   RangeError where the server would refuse: they come to less or more, two pay the rest, or one pays nothing
   (but so little cash that it rounds to nothing). */
export function due(total, payments, coin) {
  const open = payments.filter((each) => each.amount === null);
  const cash = payments.filter((each) => each.provider === "cash");
  if (open.length > 1) throw new RangeError("only one payment can pay the rest");
  if (cash.length > 1) throw new RangeError("all cash is one payment");
  const given = sum(payments.map((each) => each.amount ?? 0));
  const amounts = payments.map((each) => each.amount ?? 0);
  const inCash = payments.indexOf(cash[0]);
  const rest = payments.indexOf(open[0]);
  let rounding = 0;
  if (cash.length) {
    const paysRest = !open.length || rest === inCash;
    const exact = paysRest ? total - (given - amounts[inCash]) : amounts[inCash];
    const rounded = coin.is_whole_only && payments.length > 1 ? exact : roundCash(exact, coin);
    rounding = rounded - exact;
    if (rest === inCash) amounts[inCash] = rounded;
  }
  if (open.length && rest !== inCash) amounts[rest] = total + rounding - given;
  if (sum(amounts) !== total + rounding) throw new RangeError(`the payments come to ${sum(amounts)}, but ${total + rounding} is due`);
  if (amounts.some((amount, at) => amount < 0 || (amount === 0 && !(at === inCash && rounding < 0)))) throw new RangeError("nothing is left for one of them to pay");
  return { amounts, rounding };
}
