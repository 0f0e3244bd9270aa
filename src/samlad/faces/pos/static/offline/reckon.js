/* What a ticket comes to. Amounts are whole minor units.

   THE SEAM for the engine of promotions and tax (`rules/`): `reckon(lines, store, rules)` is the only place where lines get
   their reductions, tax and totals. With rules in the pack it is to call `totals(basket, rules)` and answer in the same shape:
   {lines: [{…line, reductions: [{promotion, name, amount}], tax_rate, tax, total}], total, tax, pieces}. */

const WHOLE = 10_000n;

/* whole × part / of, rounded once, halves away from zero; exact beyond 2^53. As `share` in samlad.kernel.money. */
export function share(whole, part, of) {
  const product = BigInt(whole) * BigInt(part), divisor = BigInt(of);
  const sign = product < 0n ? -1n : 1n;
  return Number(sign * ((2n * sign * product + divisor) / (2n * divisor)));
}

export function reckon(lines, store, _rules = null) {
  const reckoned = lines.map((line) => {
    const rate = store.tax_rates[line.tax_class] ?? 0;
    const quoted = line.price * line.quantity;
    const tax = share(quoted, rate, store.tax_included ? WHOLE + BigInt(rate) : WHOLE);
    return { ...line, reductions: [], tax_rate: rate, tax, total: store.tax_included ? quoted : quoted + tax };
  });
  const sum = (name) => reckoned.reduce((whole, line) => whole + line[name], 0);
  return { lines: reckoned, total: sum("total"), tax: sum("tax"), pieces: sum("quantity") };
}

/* An amount as coins can pay it: the nearest multiple of the smallest one, halves away from zero. */
export const inCoins = (amount, step) => Math.sign(amount) * Math.floor((Math.abs(amount) + Math.floor(step / 2)) / step) * step;

/* Tax by rate, the highest first: [[rate, net, tax]]. */
export function taxes(lines) {
  const rates = new Map();
  for (const line of lines) {
    const [net, tax] = rates.get(line.tax_rate) ?? [0, 0];
    rates.set(line.tax_rate, [net + line.total - line.tax, tax + line.tax]);
  }
  return [...rates].sort(([a], [b]) => b - a).filter(([rate]) => rate).map(([rate, [net, tax]]) => [rate, net, tax]);
}
