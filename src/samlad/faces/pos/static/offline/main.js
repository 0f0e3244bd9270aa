/* The till without network: scan, take the money, give a receipt. Everything is in this browser; `sender.js` sends it later. */

import * as database from "./database.js";
import * as journal from "./journal.js";
import * as ticket from "./ticket.js";
import { Changed } from "./ticket.js";
import { Goods, ID, SKU, TITLE, OPTIONS, PRICE, TAX, makeRoom, restore } from "./goods.js";
import { inCoins, reckon, taxes } from "./reckon.js";
import { Sender } from "./sender.js";
import { keepShell, registered } from "./shell.js";
import { announce, byId, fill, handed, inField, moment, money, percent, root, say, show, typed, useCurrency } from "./screen.js";

const code = root.dataset.till, CARRIED_HOURS = 12, SHOWN_SALES = 60;
const goods = new Goods();
let db, device, pack = null, open = null, sums = null, sender, clerk = null, offset = null, sold = new Map(), used = {}, counted = new Set(), isTraining = false;

/* -- what is shown ---------------------------------------------------------------------------------------------------------- */

const reduction = ({ name, amount }) => `${name} −${money(amount)}`;
const due = () => sums.total - open.tenders.reduce((sum, each) => sum + each.amount, 0);

/* What is here of a variant: leased and free, less what was sold since that was said. */
function left(variant) {
  const of = (list) => new Map(list).get(variant) ?? 0;
  return { leased: of(pack.lease) - (sold.get(variant) ?? 0), here: of(pack.lease) + of(pack.stock) - (sold.get(variant) ?? 0) };
}

function stockOf(line) {
  const { leased, here } = left(line.variant);
  if (line.quantity > here) return [say("beyond", { n: Math.max(0, here) }), "warning"];
  if (line.quantity > leased && sender.state !== "online") return [say("unleased", { n: Math.max(0, here) }), "info"];
  return [say("here", { n: here }), "success"];
}

function showTicket() {
  sums = reckon(open.lines, pack, goods, used);
  byId("ticket").replaceChildren(
    ...[...sums.lines].reverse().map((line) => {
      const [stock, kind] = stockOf(line);
      return fill("line", {
        item: (item) => Object.assign(item.dataset, { variant: line.variant, price: line.price }),
        title: line.title,
        options: line.options,
        about: [line.sku, money(line.price), ...line.reductions.map(reduction)].join(" · "),
        total: money(line.total),
        stock: (badge) => {
          badge.textContent = stock;
          badge.classList.add(kind);
        },
        quantity: (field) => {
          field.value = line.quantity;
          field.setAttribute("aria-label", say("pieces", { title: line.title }));
        },
        remove: (button) => button.setAttribute("aria-label", say("remove", { title: line.title })),
      });
    }),
  );
  show("empty", !open.lines.length);
  byId("total").textContent = money(due());
  byId("tax").textContent = taxes(sums.lines).map(([rate, , tax]) => say("tax", { rate: percent(rate), tax: money(tax) })).join(" · ");
  byId("paid").textContent = open.tenders.length ? say("paid", { amount: money(sums.total - due()) }) : "";
  for (const button of document.querySelectorAll("[data-pay]")) button.disabled = !open.lines.length;
}

function showResults(text) {
  const found = text ? goods.search(text) : [];
  byId("results").replaceChildren(
    ...found.map((row) =>
      fill("result", {
        button: (button) => (button.dataset.variant = row[ID]),
        title: row[TITLE],
        options: row[OPTIONS],
        price: money(row[PRICE]),
        here: say("here", { n: Math.max(0, left(row[ID]).here) }),
      }),
    ),
  );
  byId("found").textContent = text ? (found.length ? say("found", { n: found.length }) : say("nothing", { text })) : "";
}

async function showCount() {
  const count = await journal.count(db);
  byId("unsent").textContent = say("unsent", { n: count });
  byId("unsent").dataset.unsent = count;
  byId("unsent").className = `badge ${count ? "warning" : "success"}`;
  return count;
}

async function showState() {
  const count = await showCount(), state = sender.state || "network";
  byId("net").textContent = say(`net-${state}`);
  byId("net").classList.toggle("on", state === "online");
  byId("net").dataset.state = state;
  show("sign-in", state === "sign-in");
  show("back", state === "online");
  byId("back-note").textContent = count ? say("back-sending", { n: count }) : say("back-sent");
  if (open && pack) showTicket();
}

/* -- what the clerk does ---------------------------------------------------------------------------------------------------- */

const lineOf = (row) => ({ variant: row[ID], sku: row[SKU], title: row[TITLE], options: row[OPTIONS], price: row[PRICE], tax_class: row[TAX] });

async function put(row) {
  show("done", false);
  show("desk", true);
  await change(ticket.add(db, lineOf(row)));
  announce("");
}

async function change(work) {
  open = await work;
  showTicket();
  sender.others.postMessage("ticket");
}

async function scan(text) {
  const row = text && goods.scan(text);
  if (row) {
    byId("code").value = "";
    showResults("");
    return put(row);
  }
  showResults(text);
}

function askFor(kind) {
  const dialog = byId("pay"), rest = due(), step = kind === "cash" ? pack.store.cash_step : 1, amount = inCoins(rest, step);
  dialog.dataset.kind = kind;
  byId("pay-title").textContent = say(`pay-${kind}`);
  byId("pay-due").textContent = money(amount);
  byId("pay-note").textContent = kind === "cash" ? (amount === rest ? "" : say("rounded", { exact: money(rest) })) : say(`pay-${kind}-note`);
  byId("pay-quick").replaceChildren(
    ...(kind === "cash" ? handed(amount) : [amount]).map((each) =>
      fill("note", { button: (button) => Object.assign(button, { value: each, textContent: money(each) }) }),
    ),
  );
  byId("pay-amount").value = kind === "cash" ? "" : inField(amount);
  byId("pay-wrong").textContent = "";
  dialog.showModal();
}

async function take(handedOver) {
  const kind = byId("pay").dataset.kind, rest = due(), amount = kind === "cash" ? inCoins(rest, pack.store.cash_step) : rest;
  if (handedOver === null || handedOver < 0 || (handedOver === 0 && amount > 0) || (kind !== "cash" && handedOver > amount)) {
    byId("pay-wrong").textContent = say("wrong-amount");
    return;
  }
  byId("pay").close();
  if (handedOver < amount) return change(ticket.tender(db, open.version, { kind, amount: handedOver, ...(kind === "cash" ? { tendered: handedOver } : {}) }));
  const last = amount ? [{ kind, amount, ...(kind === "cash" ? { tendered: handedOver } : {}) }] : [];
  await sell([...open.tenders, ...last], amount - rest, handedOver - amount);
}

/* All cash of a sale is one payment. */
function together(tenders) {
  const cash = tenders.filter((each) => each.kind === "cash"), rest = tenders.filter((each) => each.kind !== "cash");
  const sum = (name) => cash.reduce((whole, each) => whole + each[name], 0);
  return cash.length ? [...rest, { kind: "cash", amount: sum("amount"), tendered: sum("tendered") }] : rest;
}

const entryOf = (tenders, rounding) => (sequence, till, seen) => {
  const { lines, total } = reckon(seen.lines, pack, goods, used);
  return {
    id: seen.id,
    till,
    sequence,
    happened_at: new Date().toISOString(),
    clock_offset_ms: offset,
    lines: lines.map(({ variant, sku, title, options, quantity, price, reductions, tax_rate, tax, total: whole }) => ({
      variant, sku, title, options, quantity, unit_price: price, reductions, tax_rate, tax, total: whole,
    })),
    tenders: together(tenders),
    total,
    rounding,
    currency: pack.store.currency,
    cart: seen.cart,
    clerk: clerk?.id ?? null,
    clerk_name: clerk?.name ?? "",
    training: isTraining,
  };
};

async function sell(tenders, rounding, back) {
  const seen = open, make = entryOf(tenders, rounding);
  let entry;
  try {
    entry = await journal.sell(db, seen, make).catch(async (error) => {
      if (error?.name !== "QuotaExceededError") throw error;
      await makeRoom(db); // the goods stay in this page's memory, and are loaded again when there is room
      return journal.sell(db, seen, make);
    });
  } catch (error) {
    open = await ticket.current(db).catch(() => open);
    showTicket();
    announce(say(error instanceof Changed || error?.name === "ConstraintError" ? "changed" : "not-written"), "danger");
    return;
  }
  // It is on the disk: only now anything says so, and the drawer may open.
  count(entry);
  showReceipt({ entry, id: entry.id, verdict: null }, back, true);
  open = await ticket.current(db);
  showTicket();
  sender.told("journal");
  sender.wake();
}

function count(entry) {
  if (entry.training || counted.has(entry.id)) return;
  counted.add(entry.id);
  const given = new Map();
  for (const line of entry.lines) {
    sold.set(line.variant, (sold.get(line.variant) ?? 0) + line.quantity);
    for (const { promotion, amount } of line.reductions) given.set(promotion, (given.get(promotion) ?? 0) + amount);
  }
  for (const [promotion, amount] of given) {
    const { uses = 0, spent = 0 } = used[promotion] ?? {};
    used[promotion] = { uses: uses + 1, spent: spent + amount };
  }
}

/* What was sold since the server said what there is, in whatever tab. */
async function countAll() {
  for (const { entry } of await journal.unsent(db)) count(entry);
}

/* -- receipts and the journal ------------------------------------------------------------------------------------------------ */

const numberOf = (entry) => `${entry.till.replaceAll("-", "").slice(-4).toUpperCase()}-${String(entry.sequence).padStart(6, "0")}`;

function showReceipt(sale, back, isNew) {
  const { entry } = sale, receipt = byId("receipt");
  useCurrency(entry.currency);
  show("desk", false);
  show("done", true);
  byId("change").textContent = isNew && back > 0 ? money(back) : "";
  show("change-box", isNew && back > 0);
  show("is-sold", isNew);
  byId("is-sold").dataset.sale = entry.id;
  const row = (text, amount, css = "") => fill("receipt-row", { text, amount: money(amount), row: (place) => css && place.classList.add(css) });
  const parts = entry.lines.map((line) => row(`${line.title}${line.options ? `, ${line.options}` : ""}${line.quantity > 1 ? ` (${line.quantity} × ${money(line.unit_price)})` : ""}${line.reductions.map((each) => ` · ${reduction(each)}`).join("")}`, line.total));
  byId("receipt-lines").replaceChildren(...parts);
  byId("receipt-sums").replaceChildren(
    row(say("total"), entry.total + entry.rounding, "total"),
    ...taxes(entry.lines).map(([rate, net, tax]) => row(say("tax-on", { rate: percent(rate), net: money(net) }), tax)),
    ...entry.tenders.flatMap((each) => [
      row(say(`by-${each.kind}`), each.tendered ?? each.amount),
      ...(each.tendered > each.amount ? [row(say("given-back"), each.amount - each.tendered)] : []),
    ]),
  );
  byId("receipt-head").textContent = `${moment(entry.happened_at)} · ${numberOf(entry)}${sale.verdict?.number ? ` · ${sale.verdict.number}` : ""}`;
  byId("receipt-kind").textContent = entry.training ? say("training-receipt") : isNew ? "" : say("copy");
  byId("receipt-clerk").textContent = entry.clerk_name ? say("served", { name: entry.clerk_name }) : "";
  receipt.dataset.sale = entry.id;
  byId("next").focus();
}

async function showJournal() {
  const sales = (await journal.all(db)).slice(0, SHOWN_SALES);
  byId("sales").replaceChildren(
    ...sales.map((sale) => {
      const { entry, state, verdict } = sale;
      const kind = state === "sent" ? (verdict?.objections?.length || verdict?.verdict === "conflict" ? "warning" : "success") : state === "refused" ? "danger" : "info";
      const codes = [...new Set((verdict?.objections ?? []).map((each) => each.code))];
      return fill("sale", {
        open: (button) => {
          button.dataset.sale = sale.id;
          button.textContent = `${numberOf(entry)} · ${money(entry.total + entry.rounding)}`;
        },
        when: moment(entry.happened_at),
        state: (badge) => {
          badge.textContent = say(`state-${state === "sent" ? (verdict?.verdict ?? "recorded") : state}`);
          badge.classList.add(kind);
        },
        objections: codes.map((each) => say(`objection-${each}`)).join(" · ") || null,
      });
    }),
  );
  show("no-sales", !sales.length);
  if (!byId("journal").open) byId("journal").showModal();
}

async function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await journal.exported(db, code));
  link.download = `till-${code}-${new Date().toISOString().slice(0, 16).replace(":", "")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function bringIn(file) {
  try {
    const added = await journal.imported(db, code, await file.text());
    announce(say("imported", { n: added }), "success");
    sender.told("journal");
    sender.wake();
  } catch {
    announce(say("not-imported"), "danger");
  }
  byId("journal").close();
}

/* -- listening ---------------------------------------------------------------------------------------------------------------- */

function listen() {
  byId("scan").addEventListener("submit", (event) => {
    event.preventDefault();
    scan(byId("code").value.trim());
  });
  let looking = 0;
  byId("code").addEventListener("input", () => {
    clearTimeout(looking);
    looking = setTimeout(() => showResults(byId("code").value.trim()), 250); // a scanner is quicker, and ends with Enter
  });
  byId("results").addEventListener("click", (event) => {
    const row = goods.get(event.target.closest("[data-variant]")?.dataset.variant);
    if (row) put(row);
  });
  byId("ticket").addEventListener("change", (event) => setLine(event.target, Math.max(0, Math.min(9999, Math.trunc(Number(event.target.value)) || 0))));
  byId("ticket").addEventListener("click", (event) => {
    if (event.target.closest("[data-remove]")) setLine(event.target, 0);
  });
  byId("clear").addEventListener("click", () => change(ticket.clear(db)));
  for (const button of document.querySelectorAll("[data-pay]")) button.addEventListener("click", () => askFor(button.dataset.pay));
  byId("pay-quick").addEventListener("click", (event) => event.target.value && take(Number(event.target.value)));
  byId("pay-form").addEventListener("submit", (event) => {
    event.preventDefault();
    take(typed(byId("pay-amount").value));
  });
  byId("next").addEventListener("click", () => {
    show("done", false);
    show("desk", true);
    if (pack) useCurrency(pack.store.currency);
    byId("code").focus();
  });
  byId("show-journal").addEventListener("click", showJournal);
  byId("unsent-button").addEventListener("click", showJournal);
  byId("sales").addEventListener("click", async (event) => {
    const id = event.target.closest("[data-sale]")?.dataset.sale;
    if (!id) return;
    byId("journal").close();
    showReceipt(await journal.read(db, id), 0, false);
  });
  byId("send-now").addEventListener("click", async () => {
    await journal.tryAgain(db);
    sender.wake();
  });
  byId("export").addEventListener("click", download);
  byId("import").addEventListener("change", (event) => event.target.files[0] && bringIn(event.target.files[0]));
  byId("training").addEventListener("change", async (event) => {
    isTraining = event.target.checked;
    show("is-training", isTraining);
    await database.keep(db, "training", isTraining);
  });
}

function setLine(element, quantity) {
  return change(ticket.setQuantity(db, element.closest("[data-variant]").dataset.variant, quantity));
}

async function hear() {
  sender.addEventListener("state", showState);
  sender.addEventListener("journal", async () => {
    await countAll();
    await showState();
  });
  sender.addEventListener("ticket", async () => {
    open = await ticket.current(db);
    showTicket();
  });
  sender.addEventListener("pack", load);
}

async function load() {
  const found = await restore(db, goods);
  pack = found ?? pack;
  [sold, used, counted] = [new Map(), {}, new Set()];
  await countAll();
  [clerk, offset, isTraining] = [await database.meta(db, "clerk"), (await database.meta(db, "clock"))?.offset ?? null, (await database.meta(db, "training")) ?? false];
  show("is-training", isTraining);
  byId("training").checked = isTraining;
  byId("clerk").textContent = clerk?.name ?? "";
  show("no-pack", !pack);
  show("desk-in", Boolean(pack));
  if (!pack) return;
  useCurrency(pack.store.currency);
  byId("receipt-store").textContent = pack.store.name;
  byId("receipt-place").textContent = pack.store.lines.join(", ");
  byId("receipt-foot").textContent = pack.store.receipt_footer || say("thanks");
  byId("pack-at").textContent = say("pack-at", { at: moment(pack.at), n: goods.size });
  open = await ticket.takeOver(db, Date.now() - CARRIED_HOURS * 3_600_000, (line) => {
    const row = goods.get(line.variant);
    return { ...line, tax_class: row?.[TAX] ?? line.tax_class ?? "standard" };
  });
  if (open.version === 0) open = await ticket.current(db);
  if (open.cart && open.lines.length) announce(say("carried"), "success");
  showTicket();
}

db = await database.open(code);
device = await database.device(db);
sender = new Sender(db, code, device.id);
listen();
hear();
await load();
await showState();
root.dataset.ready = "";
byId("code").focus();
navigator.storage?.persist?.();
registered().then(() => keepShell(code)).catch(() => {});
sender.run();
