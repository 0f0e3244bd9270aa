// Reads cases as lines of JSON, answers each with what the till's rules say: node reckon.mjs FOLDER-OF-RULES < cases
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const at = (name) => import(pathToFileURL(`${process.argv[2]}/${name}.js`).href);
const [{ totals }, { apply }, { share, allocate }, { due }, { redeem }, { readScale, readGs1, minorOf, quantityFor }, { offered }, { piecesOf }] = await Promise.all(
  ["totals", "promotions", "money", "cash", "codes", "scale", "tips", "sets"].map(at),
);
const offline = (name) => at(`../offline/${name}`);
let store; // the rules that hold for the tickets after them
const kinds = {
  rules: ({ rules }) => void (store = rules),
  totals: async ({ basket, at, typed = [] }) => {
    const found = await Promise.all(typed.map((text) => redeem(text, store)));
    const codes = [...(basket.codes ?? []), ...found.filter((each) => each.promotion)];
    return totals({ ...basket, codes }, store, at);
  },
  engine: ({ lines, offers, shipping }) => apply(lines, offers, shipping),
  share: ({ numbers }) => share(...numbers),
  allocate: ({ amount, weights }) => allocate(amount, weights),
  due: ({ total, payments, coin }) => due(total, payments, coin),
  set: ({ line, taken }) => piecesOf(line, taken).map(({ price, units, steps, quoted }) => [price, units, steps.map((step) => step.amount), quoted]),
  scale: ({ code, layouts }) => readScale(code, layouts),
  gs1: ({ text }) => readGs1(text),
  minor: ({ price, exponent }) => minorOf(price, exponent),
  quantity: ({ numbers }) => quantityFor(...numbers),
  tips: ({ total, percents, amounts, unit }) => offered(total, percents, amounts, unit),
  /* A line on which one code after the other is scanned, which then has `quantity`; whether any was there twice. */
  scanned: async ({ texts, quantity }) => {
    const { Twice, atMost, lotOf, namesOf, serialsOf, withOne } = await offline("lots");
    let lots = [], twice = 0;
    for (const text of texts) {
      try {
        lots = withOne(lots, lotOf(readGs1(text)), 1);
      } catch (error) {
        if (!(error instanceof Twice)) throw error;
        twice += 1;
      }
    }
    const line = { lots: atMost(lots, quantity), quantity };
    return { ...line, twice, names: namesOf(line, String), serials: serialsOf(line) };
  },
  parts: async ({ line }) => (await offline("lots")).partsOf(line).map(({ name, most }) => [name, most]),
  redeem: ({ text }) => redeem(text, store),
};
for await (const line of createInterface({ input: process.stdin })) {
  const { kind, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = (await kinds[kind](given)) ?? null;
  } catch (error) {
    answer = { error: error.name };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
