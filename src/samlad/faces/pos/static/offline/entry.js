/* What the journal keeps of a sale. Pure: what is known at the till comes in as `here`: {pack, goods, used, clerk, offset, shift, isTraining}. */

import { reckon, serverNow } from "./reckon.js";

/* What every entry says: which it is, when, by whom, in which drawer. */
export const signed = ({ clerk, offset, shift, isTraining }, sequence, till) => ({
  id: crypto.randomUUID(),
  till,
  sequence,
  happened_at: new Date().toISOString(),
  clock_offset_ms: offset,
  clerk: clerk?.id ?? null,
  clerk_name: clerk?.name ?? "",
  shift: shift ?? null,
  training: isTraining,
});

/* Makes the entry of a ticket that was paid so. */
export const entryOf = (here, tenders, rounding) => (sequence, till, seen) => {
  const { lines, total } = reckon(seen.lines, here.pack, here.goods, here.used, seen, serverNow(here.offset));
  return {
    ...signed(here, sequence, till),
    id: seen.id,
    lines: lines.map(({ variant, sku, title, options, quantity, sold_by, price, reductions, tax_rate, tax, total: whole, taxes, lots }) => ({
      variant, sku, title, options, quantity, sold_by: sold_by ?? "piece", unit_price: price, reductions, tax_rate, tax, total: whole,
      ...(taxes.length > 1 ? { taxes } : {}),
      ...(lots?.length ? { lots } : {}),
    })),
    tenders: together(tenders),
    cards: seen.cards ?? [],
    total: total + worthOf(seen.cards),
    tip: seen.tip ?? 0,
    rounding,
    currency: here.pack.store.currency,
    cart: seen.cart,
    customer: seen.customer?.id ?? null,
    ...(seen.customer?.new ? { new_customer: seen.customer.new } : {}),
    allowed_by: seen.allowed_by ?? null,
    checked_by: seen.checked_by ?? null,
  };
};

/* Gift cards that are sold. */
export const worthOf = (cards = []) => cards.reduce((sum, each) => sum + each.amount, 0);

/* All cash of a sale is one payment. */
function together(tenders) {
  const cash = tenders.filter((each) => each.kind === "cash"), rest = tenders.filter((each) => each.kind !== "cash");
  const sum = (name) => cash.reduce((whole, each) => whole + each[name], 0);
  return cash.length ? [...rest, { kind: "cash", amount: sum("amount"), tendered: sum("tendered") }] : rest;
}

/* What the receipt of an entry says: the end of the till's id, and its number in the journal. */
export const numberOf = (entry) => `${entry.till.replaceAll("-", "").slice(-4).toUpperCase()}-${String(entry.sequence).padStart(6, "0")}`;
