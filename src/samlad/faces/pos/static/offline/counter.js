/* At the counter without the server: what waits is handed over, the drawer is opened and counted. Each is an entry of the journal, written
   before anything is said. */

import { coinOf, roundCash } from "../rules/cash.js";
import { sum } from "../rules/money.js";
import { ask } from "./database.js";
import * as journal from "./journal.js";
import * as panel from "./panel.js";
import { hashed } from "./people.js";
import { announce, inField, money, say, typed } from "./screen.js";

const MOST = 30;

/* -- pick-ups ------------------------------------------------------------------------------------------------------------------ */

export async function pickUps(till) {
  const given = new Set((await journal.all(till.db)).filter(({ entry }) => entry.kind === "pick-up" && !entry.training).map(({ entry }) => entry.fulfilment));
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
      await till.note("drawer-open", { shift, drawer: opened.name, amount: float }, (meta) => ask(meta.put(opened, till.drawerKey)));
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
    rows: () => [
      { value: "look", text: say("x-report") },
      { value: "count", text: say("drawer-count") },
    ],
    pick: (what) => (what === "count" ? countIt(till) : look(till)),
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
      await till.note("drawer-close", { shift, count: { counts, taken } }, (meta) => ask(meta.delete(till.drawerKey)));
      const is = till.drawer;
      await till.keepDrawer(null, true);
      showReport(is, report, counted);
    },
  });
}

/* The X report, as far as this device knows. What should be in the drawer is not said before it was counted. */
async function look(till) {
  const { name, shift } = till.drawer, report = await of(till, shift);
  panel.open({ title: say("x-report-of", { name }), note: say("x-report-note"), rows: () => told(report), pick: () => {} });
}

/* What this till did in a shift. Goods that came back were paid in coins, as the smallest allows. */
export async function of(till, shift) {
  const mine = (await journal.all(till.db)).map(({ entry }) => entry).filter((entry) => entry.shift === shift && Boolean(entry.training) === till.isTraining);
  const sales = mine.filter(({ kind }) => !kind), tenders = {};
  for (const { kind, amount } of sales.flatMap((entry) => entry.tenders)) tenders[kind] = (tenders[kind] ?? 0) + amount;
  const back = sum(mine.filter(({ kind }) => kind === "return").map((entry) => roundCash(entry.total, coinOf(till.pack.store))));
  const moved = sum(mine.filter(({ kind }) => kind === "drawer-move").map((entry) => entry.amount));
  const tips = sum(sales.map((entry) => entry.tip ?? 0));
  return { sales: sales.length, tips, tenders, back, moved, cash: (tenders.cash ?? 0) - back + moved };
}

const told = ({ sales, tips, tenders, back, moved }) =>
  [
    [say("report-sales"), String(sales)],
    ...Object.entries(tenders).map(([kind, amount]) => [say(`by-${kind}`), money(amount)]),
    ...(tips ? [[say("report-tips"), money(tips)]] : []),
    [say("report-back"), money(0 - back)],
    [say("report-moved"), money(moved)],
  ].map(([text, about]) => ({ value: null, text, about }));

function showReport(is, report, counted) {
  const differs = is.isOurs ? [[say("report-difference"), money(counted - is.float - report.cash)]] : [];
  const rows = [...told(report), ...[[say("report-counted"), money(counted)], ...differs].map(([text, about]) => ({ value: null, text, about }))];
  panel.open({ title: say("report", { name: is.name }), note: say("report-note"), rows: () => rows, pick: () => {} });
}
