/* Which price applies, as `samlad.catalog.price_rules.choose` and the SQL of `sellables` decide it. */

const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/* prices: [[id of the list, minimum quantity, amount], …]; lists by id, as the rules have them: for this channel, in its
   currency. → {amount, tax_included, price_list}, or null without one. */
export function choose(prices, lists, { quantity, at, customer_group = null }) {
  const fitting = prices
    .map(([id, least, amount]) => ({ id, list: lists[id], least, amount }))
    .filter(
      ({ list, least }) =>
        list !== undefined &&
        least <= quantity &&
        (list.customer_group === null || list.customer_group === customer_group) &&
        (list.valid_from === null || list.valid_from <= at) &&
        (list.valid_to === null || at < list.valid_to),
    );
  const best = fitting.sort(
    (a, b) =>
      b.list.priority - a.list.priority ||
      specific(b.list) - specific(a.list) ||
      b.least - a.least ||
      a.amount - b.amount ||
      byText(a.id, b.id),
  )[0];
  return best ? { amount: best.amount, tax_included: best.list.tax_included, price_list: best.id } : null;
}

const specific = (list) => (list.is_own ? 1 : 0) + (list.customer_group === null ? 0 : 1);
