/* Goods that come back, without the server: of a receipt that this till knows, of one that another till of the store has signed, or of
   none. Each is an entry of the journal, written before anything is said. */

import { coinOf, roundCash } from "../rules/cash.js";
import { share, sum } from "../rules/money.js";
import { numberOf } from "./entry.js";
import { ID, OPTIONS, SKU, TITLE, soldBy } from "./goods.js";
import * as journal from "./journal.js";
import { namesOf, partsOf } from "./lots.js";
import * as panel from "./panel.js";
import { find } from "./people.js";
import { amountOf, announce, exponent, moment, money, say, typed, typedMeasure, unitOf } from "./screen.js";
import { numberOfShop, read } from "./signed.js";

const MOST = 30;

/* Receipts of this store that were paid in cash: those of the day's list, and those in this journal. What has come back here since is
   taken off. → [{key, number, sale, order, lines: [{position, line, title, left, gone, quantity, total, lots, back}]}], `lots` as in `lots.js`,
   `back` those of them that came back. */
export async function receipts(till) {
  const all = await journal.all(till.db), day = till.day?.receipts ?? [], heard = till.day?.heard ?? 0;
  const listed = new Set(day.map((each) => each.entry).filter(Boolean));
  const own = all.filter(({ entry, id }) => !entry.kind && !entry.training && !listed.has(id) && entry.tenders.every((each) => each.kind === "cash"));
  const found = [
    ...day.map((each) => ({
      key: each.order, number: each.reference ?? each.number, also: each.number, order: each.order, sale: null, entry: each.entry,
      lines: each.lines.map(([position, title, quantity, gone, total, sold_by, lots = []]) => ({
        position, title, quantity, gone, total, sold_by, back: [], lots: lots.map(([lot, units]) => ({ lot, units })),
      })),
    })),
    ...own.map(({ entry }) => ({
      key: entry.id, number: numberOf(entry), also: "", order: null, sale: entry.id, entry: entry.id,
      lines: entry.lines.map(({ title, quantity, total, sold_by, lots = [] }, index) => ({ line: index + 1, title, quantity, gone: 0, total, sold_by, lots, back: [] })),
    })),
  ];
  const since = all.filter(({ entry, state, at }) => entry.kind === "return" && !entry.training && (state !== journal.SENT || at > heard));
  for (const { entry } of since) {
    const receipt = found.find((each) => (entry.order ? each.order === entry.order : entry.sale && each.entry === entry.sale));
    for (const back of entry.lines) {
      const line = receipt?.lines.find((each) => (each.position ?? each.line) === (back.position ?? back.line));
      if (line) line.gone += back.quantity;
      line?.back.push(...(back.lots ?? []));
    }
  }
  return found.filter(({ lines }) => lines.some(({ quantity, gone }) => gone < quantity));
}

/* What units of a line are worth: parts come to exactly the whole, as the server reckons it. */
export const worth = ({ total, gone, quantity }, units) => share(total, gone + units, quantity) - share(total, gone, quantity);

export async function returns(till) {
  const known = await receipts(till);
  panel.open({
    title: say("returns"),
    note: say("returns-note"),
    fields: [{ name: "number", label: say("receipt-number") }],
    rows: ({ number }) => {
      const text = number.toUpperCase();
      if (text.length < 3) return [];
      return known
        .filter((each) => each.number.toUpperCase().includes(text) || each.also.toUpperCase().includes(text))
        .slice(0, MOST)
        .map((each) => ({ value: each.key, text: each.number, about: each.lines.map(({ title }) => title).join(" · ") }));
    },
    act: ({ number }) => lookUp(till, known, number),
    label: say("look-up"),
    pick: (key) => choose(till, known.find((each) => each.key === key)),
  });
}

/* A number that was typed, or the code of a receipt that was scanned: its goods, or why it cannot be looked at here. */
async function lookUp(till, known, text) {
  if (text.length < 3) return say("fill-in");
  const said = await read(text, till.day?.keys ?? []);
  if (said?.why) return cannot(till, `signed-${said.why}`, said.number);
  const number = (said?.number ?? numberOfShop(text) ?? text).toUpperCase();
  const there = known.find((each) => each.number === number || each.also.toUpperCase() === number);
  if (there) return said || numberOfShop(text) ? choose(till, there) : say("choose");
  if (!said) return cannot(till, "returns-unknown", number);
  const own = (await journal.all(till.db)).find(({ entry }) => !entry.kind && numberOf(entry) === number)?.entry;
  if (own) return say(own.tenders.every((each) => each.kind === "cash") ? "signed-all-back" : "signed-not-cash");
  if (said.currency !== till.pack.store.currency) return cannot(till, "signed-currency", number);
  const left = said.total - (await givenBack(till, number));
  return left > 0 ? ofSigned(till, said, left, []) : say("signed-all-back");
}

/* What this till has given for goods of a signed receipt already. */
async function givenBack(till, number) {
  const all = await journal.all(till.db);
  return sum(all.filter(({ entry }) => entry.kind === "return" && entry.signed && entry.receipt === number && !entry.training).map(({ entry }) => entry.total));
}

/* The till does not know what is on a receipt that another has signed: whoever is on reads it off the paper. `left`: what may still go back. */
function ofSigned(till, said, left, lines) {
  const total = sum(lines.map((each) => each.amount));
  panel.open({
    title: say("returns-of", { number: said.number }),
    note: say("signed-good", { at: moment(said.at), total: money(said.total), left: money(left - total) }),
    fields: [
      { name: "code", label: say("signed-code") },
      { name: "quantity", label: say("signed-quantity"), value: "1", mode: "decimal" },
      { name: "amount", label: say("signed-amount"), mode: "decimal" },
    ],
    label: say("signed-add"),
    act: async ({ code, quantity, amount }) => {
      const line = await goodsOf(till, code, quantity), worth = typed(amount);
      if (typeof line === "string") return line;
      if (!worth) return say("signed-how-much");
      if (worth > left - total) return say("signed-too-much", { amount: money(left - total) });
      return ofSigned(till, said, left, [...lines, { ...line, amount: worth }]);
    },
    rows: () => [
      ...lines.map((line, index) => ({ value: String(index), text: say("signed-off", { title: line.title }), about: [amountOf(line.quantity, line.sold_by), which(line), money(line.amount)].filter(Boolean).join(" · ") })),
      ...(lines.length ? [{ value: "done", text: say("give-back", { amount: money(roundCash(total, coinOf(till.pack.store))) }) }] : []),
    ],
    pick: async (value) => {
      if (value !== "done") return ofSigned(till, said, left, lines.filter((_, index) => String(index) !== value));
      const { store } = till.pack;
      await till.note("return", { order: null, sale: null, signed: said.token, receipt: said.number, lines, total, currency: store.currency });
      announce(say("give-back", { amount: money(roundCash(total, coinOf(store))) }), "danger");
    },
  });
}

const which = (line) => namesOf(line, (units) => amountOf(units, line.sold_by));

/* What was scanned, how much of it, and of which lot; a text says what is wrong. */
async function goodsOf(till, code, quantity) {
  const found = code && (await till.goods.read(code, till.pack.store.scale_codes ?? [], exponent()));
  if (!found) return say("signed-no-goods");
  const { row, one } = found, sold_by = soldBy(row), units = unitOf(sold_by) ? typedMeasure(quantity) : Number(quantity);
  if (!Number.isInteger(units) || units < 1 || units > 9_999) return say("signed-how-many");
  return { variant: row[ID], sku: row[SKU], title: [row[TITLE], row[OPTIONS]].filter(Boolean).join(", "), sold_by, quantity: units, ...(one ? { lots: [{ ...one, units: one.serial ? 1 : units }] } : {}) };
}

/* -- without a receipt ----------------------------------------------------------------------------------------------------------- */

/* Why a receipt cannot be looked at here, and the way on: without one, if whoever is on may. */
function cannot(till, why, number = "") {
  const may = till.may("returns-any");
  panel.open({
    title: say("returns"),
    note: `${say(why, { number })} ${say(may ? "without-may" : "without-may-not")}`,
    rows: () => (may ? [{ value: "without", text: say("without") }] : []),
    pick: () => whoseCredit(till, number),
  });
}

/* Without a receipt it becomes store credit of somebody, whom this till has to know. */
function whoseCredit(till, receipt) {
  if (till.open.customer?.id) return without(till, receipt, till.open.customer, []);
  if (!till.day?.members) return say("no-people");
  let found = [];
  panel.open({
    title: say("without"),
    note: say("without-whose"),
    fields: [{ name: "q", label: say("customer-find") }],
    rows: async ({ q }) => (found = await find(till.day, q)).map(({ id, name }) => ({ value: id, text: name })),
    pick: (id) => without(till, receipt, found.find((each) => each.id === id), []),
  });
}

function without(till, receipt, customer, lines, why = "") {
  panel.open({
    title: say("without-of", { name: customer.name }),
    note: say("without-note"),
    fields: [
      { name: "code", label: say("signed-code") },
      { name: "quantity", label: say("signed-quantity"), value: "1", mode: "decimal" },
      { name: "reason", label: say("reason"), value: why },
    ],
    label: say("signed-add"),
    act: async ({ code, quantity, reason }) => {
      const line = await goodsOf(till, code, quantity);
      return typeof line === "string" ? line : without(till, receipt, customer, [...lines, line], reason);
    },
    rows: () => [
      ...lines.map((line, index) => ({ value: String(index), text: say("signed-off", { title: line.title }), about: [amountOf(line.quantity, line.sold_by), which(line)].filter(Boolean).join(" · ") })),
      ...(lines.length ? [{ value: "done", text: say("take-back") }] : []),
    ],
    pick: async (value, { reason }) => {
      if (value !== "done") return without(till, receipt, customer, lines.filter((_, index) => String(index) !== value), reason);
      if (!reason) return say("discount-why");
      await till.note("return-unknown", { customer: customer.id, lines, receipt: receipt.slice(0, 60), note: reason });
      announce(say("without-done", { name: customer.name }), "success");
    },
  });
}

/* -- the goods of a receipt that is known ----------------------------------------------------------------------------------------- */

const fieldOf = (line, part) => (part ? `${line}-${part}` : String(line));

/* Units of several lots, or pieces with numbers, are asked for one by one. */
function choose(till, receipt) {
  panel.open({
    title: say("returns-of", { number: receipt.number }),
    note: say("returns-how-many"),
    fields: receipt.lines.flatMap((line, index) =>
      partsOf(line).map(({ name, most }, part) => ({
        name: fieldOf(index, part),
        label: `${[line.title, name].filter(Boolean).join(" · ")} (${say("returns-left", { n: amountOf(most, line.sold_by) })})`,
        value: "0",
        mode: unitOf(line.sold_by) ? "decimal" : "numeric",
      })),
    ),
    label: say("take-back"),
    act: (values) => takeBack(till, receipt, values),
  });
}

async function takeBack(till, receipt, values) {
  const lines = [];
  for (const [index, line] of receipt.lines.entries()) {
    let quantity = 0;
    const lots = [];
    for (const [part, { lots: of, most }] of partsOf(line).entries()) {
      const text = values[fieldOf(index, part)] ?? "0", units = unitOf(line.sold_by) ? (typedMeasure(text) ?? NaN) : Number(text);
      if (!Number.isInteger(units) || units < 0 || units > most) return say("returns-too-many", { title: line.title });
      quantity += units;
      if (units) lots.push(...of.map((one) => ({ ...one, units })));
    }
    if (quantity > line.quantity - line.gone) return say("returns-too-many", { title: line.title });
    if (quantity) lines.push({ position: line.position ?? null, line: line.line ?? null, quantity, amount: worth(line, quantity), ...(lots.length ? { lots } : {}) });
  }
  const total = sum(lines.map((each) => each.amount));
  if (!lines.length || total <= 0) return say("returns-nothing");
  const { store } = till.pack, { currency } = store;
  await till.note("return", { order: receipt.order, sale: receipt.sale, receipt: receipt.number, lines, total, currency });
  announce(say("give-back", { amount: money(roundCash(total, coinOf(store))) }), "danger"); // it stays until the next ticket
}
