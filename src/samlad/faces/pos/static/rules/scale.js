/* What codes say of how much there is: those that a scale prints (EAN-13 with prefix 20–29), as `samlad.stock.scale_codes` reads them,
   and GS1 element strings, as `samlad.stock.scanning` does. */

import { times, whole } from "./money.js";

export const LAYOUTS = {
  se: ["20IIIIIIPPPPC.2", "21IIIIIIPPPPC.1", "22IIIIIIPPPPC.0", "23IIIIIIWWWWC.3", "24IIIIIIWWWWC.2", "25IIIIIIWWWWC.1"],
  gb: ["20IIIIIVPPPPC.2", "28IIIIIVPPPPC.2"],
  de: ["28IIIIVPPPPPC.2", "29IIIIVWWWWWC.3"],
  plain: ["21IIIIIWWWWWC.3", "23IIIIIPPPPPC.2"],
};
const KILOGRAM = 3, TIMES_2_MINUS = "0246891357", TIMES_3 = "0369258147", TIMES_5_PLUS = "0516273849", TIMES_5_MINUS = "0594837261";

/* → {names, grams or null, price: [number, decimals] or null, is_wrong}, or null if it is no such code. */
export function readScale(code, layouts) {
  if (!/^\d{13}$/.test(code) || checkDigit(code.slice(0, 12)) !== code[12]) return null;
  const layout = layouts.flatMap((name) => LAYOUTS[name] ?? [name]).find((each) => code.startsWith(each.slice(0, 2)));
  if (layout === undefined) return null;
  const shape = layout.slice(0, 13), decimals = Number(layout.slice(14));
  const part = (letter) => [...code].filter((_, index) => shape[index] === letter).join("");
  const item = part("I"), value = part("P") || part("W"), verifier = part("V");
  const bare = [...code].map((digit, index) => ("PWVC".includes(shape[index]) ? "0" : digit)).join("").slice(0, 12);
  return {
    names: [...new Set([bare + checkDigit(bare), item, item.replace(/^0+/, "")])].filter(Boolean),
    grams: shape.includes("W") ? Number(value) * 10 ** (KILOGRAM - decimals) : null,
    price: shape.includes("P") ? [Number(value), decimals] : null,
    is_wrong: verifier !== "" && verifier !== valueDigit(value),
  };
}

export function checkDigit(digits) {
  const total = [...digits].reverse().reduce((all, digit, place) => all + Number(digit) * (place % 2 ? 1 : 3), 0);
  return String((10 - (total % 10)) % 10);
}

export function valueDigit(digits) {
  const by = (tables) => tables.reduce((all, table, place) => all + Number(table[Number(digits[place])]), 0);
  if (digits.length === 4) return String((by([TIMES_2_MINUS, TIMES_2_MINUS, TIMES_3, TIMES_5_MINUS]) * 3) % 10);
  const total = by([TIMES_5_PLUS, TIMES_2_MINUS, TIMES_5_MINUS, TIMES_5_PLUS, TIMES_2_MINUS]);
  return String(TIMES_5_MINUS.indexOf(String((10 - (total % 10)) % 10)));
}

/* A price of a code in minor units of a currency with so many decimals. */
export function minorOf([value, decimals], exponent) {
  if (exponent >= decimals) return value * 10 ** (exponent - decimals);
  const step = 10 ** (decimals - exponent);
  return Math.floor((2 * value + step) / (2 * step));
}

/* The most of something that costs no more than its label says; null where that is nothing. */
export function quantityFor(paid, unitPrice, per) {
  if (unitPrice <= 0 || paid <= 0) return null;
  return Math.ceil(times(2 * paid + 1, per) / (2 * whole(unitPrice))) - 1 || null;
}

/* -- GS1 ------------------------------------------------------------------------------------------------------------------------- */

const SIX_DIGITS = /^(?:1[1-35-7]|3[1-6]\d\d)/, FIXED = { "00": 18, "01": 14, "02": 14, 20: 2, ...Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((n) => [`41${n}`, 13])) };
const MEASURES = { 310: "weight", 320: "pounds", 311: "length", 315: "volume" };
const POUND = 45_359_237; // of 320n, in hundred-thousandths of a gram

const LINK = /^https?:\/\/[^/?#]+(?:\/[^?#]*?)?\/01\/(\d{8,14})((?:\/(?:22|10|21)\/[^/?#]+)*)\/?(?:\?([^#]*))?(?:#.*)?$/;

/* Those of a Digital Link: its numbers in the path, and dates, weights and prices after the question mark. */
function linked(text) {
  const [, gtin, path, query = ""] = LINK.exec(text) ?? [];
  if (!gtin) return null;
  const found = new Map([["01", gtin.padStart(14, "0")]]);
  try {
    for (const [, ai, value] of path.matchAll(/\/(\d\d)\/([^/]+)/g)) found.set(ai, decodeURIComponent(value));
  } catch {
    return null;
  }
  for (const [ai, value] of new URLSearchParams(query)) if (/^\d{2,4}$/.test(ai)) found.set(ai, value);
  return found;
}

/* The elements of a GS1 message: what a scanner sends (with ]C1 or the like in front, ASCII 29 or a bar between), or as people read it,
   (01)…(3103)…; null if it is none. */
function elements(text) {
  const found = new Map();
  if (text.startsWith("(01)")) {
    for (const [, ai, value] of text.matchAll(/\((\d{2,4})\)([^(]*)/g)) found.set(ai, value);
    return found;
  }
  if (/^https?:/.test(text)) return linked(text);
  const plain = text.replaceAll("|", "\x1d"), isMarked = /^\](?:C1|d2|Q3|e0)/.test(plain);
  if (!isMarked && !plain.includes("\x1d") && !(plain.startsWith("01") && plain.length > 14)) return null;
  let rest = isMarked ? plain.slice(3) : plain;
  while (rest) {
    rest = rest.replace(/^\x1d+/, "");
    if (!rest) break;
    const size = /^3[1-69]|^4|^7|^8[01]/.test(rest) ? (/^(?:3[1-69]|70[01]|80[01])/.test(rest) ? 4 : 3) : 2;
    const ai = rest.slice(0, size), length = FIXED[ai] ?? (SIX_DIGITS.test(rest) ? 6 : null);
    const ends = rest.indexOf("\x1d", size), end = length === null ? (ends < 0 ? rest.length : ends) : size + length;
    if (end > rest.length || (length !== null && !/^\d+$/.test(rest.slice(size, end)))) return null;
    found.set(ai, rest.slice(size, end));
    rest = rest.slice(end);
  }
  return found;
}

/* What a GS1 code says beside its GTIN: {code, lot, serial, expires_on, measure: [kind, thousandths] or null, price: [number, decimals] or
   null}; null if it is none. */
export function readGs1(text) {
  const found = elements(text.trim()), gtin = found?.get("01");
  if (!gtin || !/^\d{14}$/.test(gtin) || checkDigit(gtin.slice(0, 13)) !== gtin[13]) return null;
  const dated = ["17", "15", "16"].map((ai) => found.get(ai)).find(Boolean);
  const answer = { code: gtin, lot: found.get("10") ?? null, serial: found.get("21") ?? null, expires_on: dated ? dayOf(dated) : null, measure: null, price: null };
  for (const [ai, value] of found) {
    const kind = MEASURES[ai.slice(0, 3)];
    if (ai.length === 4 && kind) answer.measure ??= measured(kind, value, Number(ai[3]));
    if (/^392\d$/.test(ai)) answer.price = [Number(value), Number(ai[3])];
  }
  return answer;
}

function measured(kind, value, decimals) {
  if (kind === "pounds") {
    const parts = 10 ** (decimals + 5);
    return ["weight", Math.floor((2 * Number(value) * POUND + parts) / (2 * parts))];
  }
  const exact = decimals <= 3 ? Number(value) * 10 ** (3 - decimals) : Math.floor((2 * Number(value) + 10 ** (decimals - 3)) / (2 * 10 ** (decimals - 3)));
  return [kind, exact];
}

/* YYMMDD; day 00 is the last of the month. Years as GS1 has them: 50 before to 49 after now are meant. */
function dayOf(text) {
  const now = new Date().getUTCFullYear(), near = Math.floor(now / 100) * 100 + Number(text.slice(0, 2));
  const year = near - now >= 51 ? near - 100 : near - now <= -50 ? near + 100 : near, month = Number(text.slice(2, 4));
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate(), day = Number(text.slice(4)) || last;
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}
