/* Money as `samlad.kernel.money` reckons it: exact integers in minor units. Products that pass 2^53 are made with BigInt;
   a result that would not be exact is an error, never a wrong amount. */

/* A safe integer, or RangeError with the name of what is not one. */
export function whole(value, name = "amount") {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} is not a whole number that is kept exactly: ${value}`);
  return value;
}

export const times = (a, b) => whole(a * b, "product");

/* What a quantity comes to at a price for `per` of it: 770 g at a price a kilogram. */
export const worth = (price, quantity, per = 1) => (per === 1 ? times(price, quantity) : share(times(price, quantity), 1, per));

export const sum = (numbers) => numbers.reduce((all, each) => whole(all + each, "sum"), 0);

/* amount · numerator / denominator, halves away from zero. */
export function share(amount, numerator, denominator) {
  const size = 2 * Math.abs(amount) * numerator + denominator;
  let part;
  if (Number.isSafeInteger(size)) part = (size - (size % (2 * denominator))) / (2 * denominator);
  else {
    const exact = 2n * BigInt(Math.abs(whole(amount))) * BigInt(whole(numerator)) + BigInt(whole(denominator));
    part = whole(Number(exact / (2n * BigInt(denominator))), "share");
  }
  return amount < 0 ? 0 - part : part;
}

/* An amount split over weights so that the parts add up exactly: the largest remainders get what is left, ties go to the
   earlier weight. With only zero weights all goes to the first. */
export function allocate(amount, weights) {
  if (!weights.length) return [];
  const total = sum(weights);
  if (total === 0) return weights.map((_, index) => (index ? 0 : amount));
  const size = Math.abs(whole(amount));
  const exact = weights.map((weight) => divided(size, weight, total));
  let left = size - sum(exact.map((each) => each.part));
  const order = [...exact.keys()].sort((a, b) => exact[b].rest - exact[a].rest || a - b);
  for (const index of order) {
    if (left-- <= 0) break;
    exact[index].part += 1;
  }
  return exact.map(({ part }) => (amount < 0 ? 0 - part : part));
}

function divided(amount, weight, total) {
  const product = amount * weight;
  if (Number.isSafeInteger(product)) return { part: (product - (product % total)) / total, rest: product % total };
  const exact = BigInt(amount) * BigInt(weight);
  return { part: Number(exact / BigInt(total)), rest: Number(exact % BigInt(total)) };
}
