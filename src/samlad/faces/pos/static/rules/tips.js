/* How much a tip is, as `samlad.orders.tip_rules` has it. */

import { share } from "./money.js";

/* → [[percent or 0, minor units]], each amount once, the smallest first. `unit`: minor units of a whole one of the currency. */
export function offered(total, percents, amounts, unit) {
  const found = new Map();
  const put = (amount, percent) => found.has(amount) || found.set(amount, percent);
  for (const percent of percents) put(Math.max(unit, share(share(total, percent, 100), 1, unit) * unit), percent);
  for (const amount of amounts) put(amount, 0);
  return total > 0 ? [...found].filter(([amount]) => amount > 0).sort(([a], [b]) => a - b).map(([amount, percent]) => [percent, amount]) : [];
}
