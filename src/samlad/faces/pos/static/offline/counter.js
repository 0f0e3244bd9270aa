/* At the counter without the server: what waits is handed over, goods of a receipt come back, the drawer is opened and counted. Each is
   an entry of the journal, written before anything is said. */

import { coinOf, roundCash } from "../rules/cash.js";
import { share, sum } from "../rules/money.js";
import { ask } from "./database.js";
import * as journal from "./journal.js";
import * as panel from "./panel.js";
import { hashed } from "./people.js";
import { amountOf, announce, inField, money, say, typed, typedMeasure, unitOf } from "./screen.js";

const MOST = 30;

/* -- pick-ups ------------------------------------------------------------------------------------------------------------------ */

export async function pickUps(till) {
  const given = new Set((await journal.all(till.db)).filter(({ entry }) => entry.kind === "pick-up").map(({ entry }) => entry.fulfilment));
  const waiting = (till.day?.pick_ups ?? []).filter((each) => !given.has(each.id));
  panel.open({
    title: say("pick-ups"),
    note: say(waiting.length ? "pick-ups-note" : "pick-ups-none"),
    fields: [
      { name: "code", label: say("pick-up-code"), mode: "numeric" },
      { name: "note", label: say("pick-up-checked") },
    ],
    rows: async ({ code }) => {
      const shown = /^\d{6}$/.test(code) ? await ofCode(till, waiting, code) : waiting;
      return shown.slice(0, MOST).map((each) => ({
        value: each.id,
        text: `${each.name} · ${each.number}`,
        about: each.lines.map(([title, pieces]) => `${pieces} × ${title}`).join(" · "),
      }));
    },
    pick: (id, { code, note }) => handOver(till, waiting.find((each) => each.id === id), code, note),
  });
}

async function ofCode(till, waiting, code) {
  const keys = await Promise.all(waiting.map((each) => hashed(till.day.salt, `${each.id}${code}`)));
  return waiting.filter((each, index) => each.code === keys[index]);
}

async function handOver(till, order, code, note) {
  if (code && !(await ofCode(till, [order], code)).length) return say("pick-up-wrong");
  if (!code && !note) return say("pick-up-how");
  await till.note("pick-up", { fulfilment: order.id, code: code || null, note: note.slice(0, 300) });
  announce(say("picked-up", { number: order.number }), "success");
}

/* -- goods that come back --------------------------------------------------------------------------------------------------------- */

/* Receipts of this store that were paid in cash: those of the day's list, and those in this journal. What has come back here since is
   taken off. → [{key, number, sale, order, lines: [{position, line, title, left, gone, quantity, total}]}] */
export async function receipts(till) {
  const all = await journal.all(till.db), day = till.day?.receipts ?? [], heard = till.day?.heard ?? 0;
  const listed = new Set(day.map((each) => each.entry).filter(Boolean));
  const own = all.filter(({ entry, id }) => !entry.kind && !entry.training && !listed.has(id) && entry.tenders.every((each) => each.kind === "cash"));
  const found = [
    ...day.map((each) => ({
      key: each.order, number: each.reference ?? each.number, also: each.number, order: each.order, sale: null, entry: each.entry,
      lines: each.lines.map(([position, title, quantity, gone, total, sold_by]) => ({ position, title, quantity, gone, total, sold_by })),
    })),
    ...own.map(({ entry }) => ({
      key: entry.id, number: numberOf(entry), also: "", order: null, sale: entry.id, entry: entry.id,
      lines: entry.lines.map(({ title, quantity, total, sold_by }, index) => ({ line: index + 1, title, quantity, gone: 0, total, sold_by })),
    })),
  ];
  const since = all.filter(({ entry, state, at }) => entry.kind === "return" && (state !== journal.SENT || at > heard));
  for (const { entry } of since) {
    const receipt = found.find((each) => each.order === entry.order || (entry.sale && each.entry === entry.sale));
    for (const back of entry.lines) {
      const line = receipt?.lines.find((each) => (each.position ?? each.line) === (back.position ?? back.line));
      if (line) line.gone += back.quantity;
    }
  }
  return found.filter(({ lines }) => lines.some(({ quantity, gone }) => gone < quantity));
}

export const numberOf = (entry) => `${entry.till.replaceAll("-", "").slice(-4).toUpperCase()}-${String(entry.sequence).padStart(6, "0")}`;

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
    act: ({ number }) => (number.length < 3 ? say("fill-in") : known.some((each) => each.number === number.toUpperCase()) ? say("choose") : say("returns-unknown")),
    label: say("look-up"),
    pick: (key) => choose(till, known.find((each) => each.key === key)),
  });
}

function choose(till, receipt) {
  panel.open({
    title: say("returns-of", { number: receipt.number }),
    note: say("returns-how-many"),
    fields: receipt.lines
      .map((line, index) => ({ name: String(index), label: `${line.title} (${say("returns-left", { n: amountOf(line.quantity - line.gone, line.sold_by) })})`, value: "0", mode: unitOf(line.sold_by) ? "decimal" : "numeric" }))
      .filter((_, index) => receipt.lines[index].gone < receipt.lines[index].quantity),
    label: say("take-back"),
    act: (values) => takeBack(till, receipt, values),
  });
}

async function takeBack(till, receipt, values) {
  const lines = [];
  for (const [index, line] of receipt.lines.entries()) {
    const units = unitOf(line.sold_by) ? (typedMeasure(values[index] ?? "0") ?? NaN) : Number(values[index] ?? 0);
    if (!Number.isInteger(units) || units < 0 || units > line.quantity - line.gone) return say("returns-too-many", { title: line.title });
    if (units) lines.push({ position: line.position ?? null, line: line.line ?? null, quantity: units, amount: worth(line, units) });
  }
  const total = sum(lines.map((each) => each.amount));
  if (!lines.length || total <= 0) return say("returns-nothing");
  const { store } = till.pack, { currency } = store;
  await till.note("return", { order: receipt.order, sale: receipt.sale, receipt: receipt.number, lines, total, currency });
  announce(say("give-back", { amount: money(roundCash(total, coinOf(store))) }), "danger"); // it stays until the next ticket
}

/* -- the drawer -------------------------------------------------------------------------------------------------------------------- */

export async function drawer(till) {
  if (till.drawer) return use(till);
  const known = till.day?.drawers ?? [], free = known.filter((each) => !each.shift);
  panel.open({
    title: say("drawer"),
    note: say("drawer-note"),
    fields: [
      { name: "name", label: say("drawer-name"), value: free[0]?.name ?? String(known.length + 1) },
      { name: "amount", label: say("drawer-amount"), value: free[0]?.left_in ? inField(free[0].left_in) : "", mode: "decimal" },
    ],
    rows: () => known.filter((each) => each.shift).map(({ shift, name }) => ({ value: shift, text: say("drawer-use", { name }) })),
    pick: async (shift) => void (await till.keepDrawer({ shift, name: known.find((each) => each.shift === shift).name, isOurs: false })),
    label: say("drawer-open"),
    act: async ({ name, amount }) => {
      const float = typed(amount);
      if (!name || float === null) return say("fill-in");
      const shift = crypto.randomUUID(), opened = { shift, name: name.slice(0, 40), float, isOurs: true };
      await till.note("drawer-open", { shift, drawer: opened.name, amount: float }, (meta) => ask(meta.put(opened, "drawer")));
      await till.keepDrawer(opened, true);
      announce(say("drawer-is-open", { name: opened.name }), "success");
    },
  });
}

function use(till) {
  const { name } = till.drawer;
  panel.open({
    title: say("drawer-of", { name }),
    note: say("drawer-move-note"),
    fields: [
      { name: "amount", label: say("drawer-move-amount") },
      { name: "why", label: say("reason") },
    ],
    label: say("drawer-move"),
    act: async ({ amount, why }) => {
      const size = typed(amount.replace(/^[-−]/, ""));
      if (!size || !why) return say("fill-in");
      const out = /^[-−]/.test(amount);
      await till.note("drawer-move", { shift: till.drawer.shift, amount: out ? -size : size, reason: out ? "petty_cash" : "change", note: why.slice(0, 120) });
      announce(say("written-down"), "success");
    },
    rows: () => [{ value: "count", text: say("drawer-count") }],
    pick: () => countIt(till),
  });
}

function countIt(till) {
  const pieces = till.day?.pieces ?? [];
  panel.open({
    title: say("drawer-count"),
    note: say("drawer-count-note"),
    fields: [
      ...pieces.map((piece) => ({ name: String(piece), label: money(piece), value: "", mode: "numeric" })),
      { name: "taken", label: say("drawer-taken"), mode: "decimal" },
    ],
    label: say("drawer-close"),
    act: async (values) => {
      const counts = {};
      for (const piece of pieces) {
        const number = Number(values[piece] || 0);
        if (!Number.isInteger(number) || number < 0 || number > 1_000_000) return say("drawer-wrong", { piece: money(piece) });
        if (number) counts[piece] = number;
      }
      const counted = sum(Object.entries(counts).map(([piece, number]) => piece * number));
      const taken = values.taken ? typed(values.taken) : 0;
      if (taken === null || taken > counted) return say("drawer-taken-wrong");
      const { shift } = till.drawer, report = await of(till, shift);
      await till.note("drawer-close", { shift, count: { counts, taken } }, (meta) => ask(meta.delete("drawer")));
      const is = till.drawer;
      await till.keepDrawer(null, true);
      showReport(is, report, counted);
    },
  });
}

/* What this till did in a shift: the X report, as far as this device knows. */
export async function of(till, shift) {
  const mine = (await journal.all(till.db)).map(({ entry }) => entry).filter((entry) => entry.shift === shift && !entry.training);
  const sales = mine.filter(({ kind }) => !kind), tenders = {};
  for (const { kind, amount } of sales.flatMap((entry) => entry.tenders)) tenders[kind] = (tenders[kind] ?? 0) + amount;
  const back = sum(mine.filter(({ kind }) => kind === "return").map((entry) => entry.total));
  const moved = sum(mine.filter(({ kind }) => kind === "drawer-move").map((entry) => entry.amount));
  const tips = sum(sales.map((entry) => entry.tip ?? 0));
  return { sales: sales.length, tips, tenders, back, moved, cash: (tenders.cash ?? 0) - back + moved };
}

function showReport(is, { sales, tips, tenders, back, moved, cash }, counted) {
  const rows = [
    [say("report-sales"), String(sales)],
    ...Object.entries(tenders).map(([kind, amount]) => [say(`by-${kind}`), money(amount)]),
    ...(tips ? [[say("report-tips"), money(tips)]] : []),
    [say("report-back"), money(-back)],
    [say("report-moved"), money(moved)],
    [say("report-counted"), money(counted)],
    ...(is.isOurs ? [[say("report-difference"), money(counted - is.float - cash)]] : []),
  ];
  panel.open({ title: say("report", { name: is.name }), note: say("report-note"), rows: () => rows.map(([text, about]) => ({ value: "", text, about })), pick: () => {} });
}
