/* Lots and serial numbers of a line, as its codes say: [{lot, serial, expires_on, units}]. The till does not know how the product is kept, so
   it keeps both numbers of a code that has both; what is odd about them the server says later. */

const LONGEST = 40;

export class Twice extends Error {}

const good = (code) => (code && code.trim().length <= LONGEST ? code.trim() : null);
const isDay = (text) => {
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
};

/* What a GS1 code (`readGs1`) says of which piece it is, or null. */
export function lotOf(gs1) {
  const lot = good(gs1?.lot), serial = good(gs1?.serial);
  if (!lot && !serial) return null;
  return { lot, serial, ...(gs1.expires_on && isDay(gs1.expires_on) ? { expires_on: gs1.expires_on } : {}) };
}

const nameOf = ({ lot, serial }) => serial ?? lot;

/* So many more of what was scanned. Throws Twice: the piece is there already. */
export function withOne(lots = [], one, units) {
  if (one === null) return lots;
  const at = lots.findIndex((each) => nameOf(each) === nameOf(one));
  if (at >= 0 && one.serial) throw new Twice(one.serial);
  if (at < 0) return [...lots, { ...one, units: one.serial ? 1 : units }];
  return lots.map((each, index) => (index === at ? { ...each, units: each.units + units } : each));
}

/* Of a line that has `quantity` now: what was scanned last is off first. */
export function atMost(lots = [], quantity) {
  let left = quantity;
  return lots.map((each) => {
    const units = Math.min(each.units, left);
    left -= units;
    return { ...each, units };
  }).filter(({ units }) => units > 0);
}

/* As people read them: numbers of pieces, and lots with how many of each (`amountOf`) where that is not all. */
export const namesOf = ({ lots = [], quantity }, amountOf) => lots.map((each) => (each.serial || each.units === quantity ? nameOf(each) : `${nameOf(each)} × ${amountOf(each.units)}`)).join(", ");

export const serialsOf = ({ lots = [] }) => lots.map(({ serial }) => serial).filter(Boolean).join(", ");

/* The parts of a line of a receipt that can come back by themselves: [{name, lots, most}]. One part unless its units can be told apart. */
export function partsOf({ lots = [], quantity, gone, back = [] }) {
  const left = quantity - gone;
  const came = (one) => back.filter((each) => nameOf(each) === nameOf(one)).reduce((sum, { units = 1 }) => sum + units, 0);
  const parts = lots.map(({ units, ...one }) => ({ name: nameOf(one), lots: [one], most: Math.min(left, units - came(one)) }));
  const rest = left - parts.reduce((sum, { most }) => sum + Math.max(0, most), 0);
  return [...parts, { name: "", lots: [], most: rest }].filter(({ most }) => most > 0);
}
