/* The till without network: scan, take the money, give a receipt. Everything is in this browser; `sender.js` sends it later. */

import * as database from "./database.js";
import * as journal from "./journal.js";
import { Twice, namesOf, serialsOf } from "./lots.js";
import * as checkCode from "./check_code.js";
import * as clerks from "./clerks.js";
import * as counter from "./counter.js";
import { entryOf, numberOf, signed, worthOf } from "./entry.js";
import * as extras from "./extras.js";
import * as giftCards from "./gift_cards.js";
import * as panel from "./panel.js";
import * as people from "./people.js";
import * as returns from "./returns.js";
import * as ticket from "./ticket.js";
import { Changed } from "./ticket.js";
import { Goods, ID, SKU, TITLE, OPTIONS, PRICE, TAX, makeRoom, restore, soldBy } from "./goods.js";
import { coinOf, inCoins, reckon, serverNow, taxes, today } from "./reckon.js";
import { offered } from "../rules/tips.js";
import { Sender } from "./sender.js";
import { keepShell, registered } from "./shell.js";
import * as storage from "./storage.js";
import { weigh } from "./weighing.js";
import * as who from "./who.js";
import { amountOf, announce, byId, exponent, fill, handed, inField, moment, money, percent, perText, root, say, show, typed, useCurrency } from "./screen.js";

const code = root.dataset.till, CARRIED_HOURS = 12, SHOWN_SALES = 60;
const goods = new Goods();
let db, device, pack = null, open = null, sums = null, sender, clerk = null, offset = null, sold = new Map(), used = {}, counted = new Set(), isTraining = false, day = null, drawer = null;

/* What the dialogs of `extras.js` and `counter.js` may know and do. */
const till = {
  get db() { return db; },
  get open() { return open; },
  get sums() { return sums; },
  get pack() { return pack; },
  get goods() { return goods; },
  get used() { return used; },
  get day() { return day; },
  get drawer() { return drawer; },
  get clerk() { return clerk; },
  get isTraining() { return isTraining; },
  get drawerKey() { return drawerKey(); },
  get code() { return code; },
  at: () => serverNow(offset),
  due: () => due(),
  /* A part is paid, or all that was left. */
  pay: (tender) => (tender.amount < due() ? change(ticket.tender(db, open.version, tender)) : sell([...open.tenders, tender], 0, 0)),
  may: (act, unknown) => who.may(clerk, day, act, unknown),
  async changed(one) {
    clerk = one;
    clerks.look();
    sender.others.postMessage("clerk");
    sender.wake();
  },
  change,
  note,
  async keepDrawer(one, isWritten = false) {
    if (!isWritten) await database.keep(db, drawerKey(), one);
    drawer = one;
    showDrawer();
  },
};

/* -- what is shown ---------------------------------------------------------------------------------------------------------- */

const reduction = ({ name, amount }) => `${name} −${money(amount)}`;
const paid = () => open.tenders.reduce((sum, each) => sum + each.amount, 0);
const due = () => sums.total + worthOf(open.cards) + (open.tip ?? 0) - paid();

/* What stock has to give for one of a variant, [variant, units] each: itself, or of a set what is in it. */
const partsOf = (variant) => new Map(pack?.sets ?? []).get(variant) ?? [[variant, 1]];

/* What is here of a variant: leased and free, less what was sold since that was said and what other lines of the ticket take of the
   same goods. Of a set as many as its parts make. */
function left(variant) {
  const lease = new Map(pack.lease), stock = new Map(pack.stock), gone = new Map(sold);
  for (const line of open?.lines ?? []) {
    if (line.variant === variant) continue;
    for (const [part, each] of partsOf(line.variant)) gone.set(part, (gone.get(part) ?? 0) + line.quantity * each);
  }
  const make = (units) => Math.min(...partsOf(variant).map(([part, each]) => Math.floor((units(part) - (gone.get(part) ?? 0)) / each)));
  return { leased: make((part) => lease.get(part) ?? 0), here: make((part) => (lease.get(part) ?? 0) + (stock.get(part) ?? 0)) };
}

function stockOf(line) {
  const { leased, here } = left(line.variant);
  const n = amountOf(Math.max(0, here), line.sold_by);
  if (line.quantity > here) return [say("beyond", { n }), "warning"];
  if (line.quantity > leased && sender.state !== "online") return [say("unleased", { n }), "info"];
  return [say("here", { n }), "success"];
}

function showTicket() {
  sums = reckon(open.lines, pack, goods, used, open, serverNow(offset));
  byId("whose").textContent = [open.customer && say("customer-is", { name: open.customer.name }), ...open.codes.map(({ code: text }) => text), ...open.cards.map(({ last_four, amount }) => say("gift-card-on", { four: last_four, amount: money(amount) }))].filter(Boolean).join(" · ");
  byId("ticket").replaceChildren(
    ...[...sums.lines].reverse().map((line) => {
      const [stock, kind] = stockOf(line);
      return fill("line", {
        item: (item) => Object.assign(item.dataset, { variant: line.variant, price: line.price }),
        title: line.title,
        options: line.options,
        about: [line.sku, `${money(line.price)}${perText(line.sold_by)}`, ...(line.lots?.length ? [say("lots", { codes: namesOf(line, (units) => amountOf(units, line.sold_by)) })] : []), ...line.reductions.map(reduction)].join(" · "),
        total: money(line.total),
        stock: (badge) => {
          badge.textContent = stock;
          badge.classList.add(kind);
        },
        weighed: (button) => {
          button.hidden = !perText(line.sold_by);
          button.textContent = amountOf(line.quantity, line.sold_by);
          button.setAttribute("aria-label", say("weigh-again", { title: line.title, amount: amountOf(line.quantity, line.sold_by) }));
        },
        stepper: (box) => (box.hidden = Boolean(perText(line.sold_by))),
        quantity: (field) => {
          field.value = line.quantity;
          field.setAttribute("aria-label", say("pieces", { title: line.title }));
        },
        remove: (button) => button.setAttribute("aria-label", say("remove", { title: line.title })),
      });
    }),
  );
  show("empty", !open.lines.length && !open.cards.length);
  byId("total").textContent = money(due());
  byId("tax").textContent = taxes(sums.lines).map(([rate, , tax]) => say("tax", { rate: percent(rate), tax: money(tax) })).join(" · ");
  byId("paid").textContent = [open.tip && say("with-tip", { amount: money(open.tip) }), open.tenders.length && say("paid", { amount: money(paid()) })].filter(Boolean).join(" · ");
  show("unpay", open.tenders.length > 0);
  for (const button of document.querySelectorAll("[data-pay]")) button.disabled = !open.lines.length && !open.cards.length;
}

let wanted = "";
async function showResults(text) {
  wanted = text;
  const found = text ? await goods.search(text) : [];
  if (wanted !== text) return; // something else was typed meanwhile
  byId("results").replaceChildren(
    ...found.map((row) =>
      fill("result", {
        button: (button) => (button.dataset.variant = row[ID]),
        title: row[TITLE],
        options: row[OPTIONS],
        price: `${money(row[PRICE])}${perText(soldBy(row))}`,
        here: say("here", { n: amountOf(Math.max(0, left(row[ID]).here), soldBy(row)) }),
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

const lineOf = (row) => ({ variant: row[ID], sku: row[SKU], title: row[TITLE], options: row[OPTIONS], price: row[PRICE], tax_class: row[TAX], sold_by: soldBy(row) });

/* `quantity` of what is weighed is asked for where nothing says it; `one` says which piece it is, or of which lot. */
async function put(row, quantity = soldBy(row) === "piece" ? 1 : 0, { isWrong = false, one = null } = {}) {
  if (!quantity) return weigh(till, row, (found) => put(row, found, { one }), { isWrong });
  show("done", false);
  show("desk", true);
  try {
    await change(ticket.add(db, lineOf(row), quantity, one));
  } catch (error) {
    if (!(error instanceof Twice)) throw error;
    return announce(say("twice", { code: error.message }), "warning");
  }
  byId("ticket").parentElement.scrollTop = 0; // what was scanned last is on top
  announce("");
}

async function change(work, isOurs = true) {
  open = await work;
  await goods.need(open.lines.map((line) => line.variant));
  showTicket();
  if (isOurs) sender.others.postMessage("ticket");
}

async function scan(text) {
  if (people.isMember(text)) {
    const [found] = await people.find(day, text);
    byId("code").value = "";
    return found ? extras.attach(till, found) : announce(say(day?.members ? "customer-unknown" : "no-people"), "warning");
  }
  const found = text && (await goods.read(text, pack.store.scale_codes ?? [], exponent()));
  if (found) {
    byId("code").value = "";
    showResults("");
    await put(found.row, found.quantity, { isWrong: found.is_wrong, one: found.one });
    if (found.expires_on && found.expires_on < today(pack.store.time_zone, offset)) announce(say("expired", { day: found.expires_on }), "danger");
    return;
  }
  showResults(text);
}

/* What is asked for: cash in coins that there are, unless the law rounds only what is wholly paid in cash and this is not. */
function asked(kind, rest) {
  const coin = coinOf(pack.store);
  const isMixed = coin.is_whole_only && open.tenders.some((each) => each.kind !== "cash");
  return kind === "cash" && !isMixed ? inCoins(rest, coin) : rest;
}

function askFor(kind) {
  const dialog = byId("pay"), rest = due(), amount = asked(kind, rest);
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
  showTips(kind);
  if (!dialog.open) dialog.showModal();
}

/* What may be given for the staff, where the store asks and nothing is paid yet. */
function showTips(kind) {
  const { tips } = pack.store, is = Boolean(tips) && kind !== "other" && !open.tenders.length;
  show("pay-tips", is);
  if (!is) return;
  byId("tip-amount").value = "";
  byId("tip-quick").replaceChildren(
    ...[[0, 0], ...offered(sums.total, tips.percents, tips.amounts, 10 ** exponent())].map(([part, amount]) =>
      fill("note", {
        button: (button) => {
          Object.assign(button, { value: amount, textContent: amount ? [money(amount), part && `${part} %`].filter(Boolean).join(" · ") : say("no-tip") });
          button.setAttribute("aria-pressed", String(amount === (open.tip ?? 0)));
        },
      }),
    ),
  );
}

async function tip(amount) {
  if (amount === null || amount > sums.total) return void (byId("pay-wrong").textContent = say("wrong-tip"));
  await change(ticket.set(db, { tip: amount }));
  askFor(byId("pay").dataset.kind);
}

async function take(handedOver) {
  const kind = byId("pay").dataset.kind, rest = due(), amount = asked(kind, rest);
  if (handedOver === null || handedOver < 0 || (handedOver === 0 && amount > 0) || (kind !== "cash" && handedOver > amount)) {
    byId("pay-wrong").textContent = say("wrong-amount");
    return;
  }
  byId("pay").close();
  if (handedOver < amount) return change(ticket.tender(db, open.version, { kind, amount: handedOver, ...(kind === "cash" ? { tendered: handedOver } : {}) }));
  const last = amount ? [{ kind, amount, ...(kind === "cash" ? { tendered: handedOver } : {}) }] : [];
  await sell([...open.tenders, ...last], amount - rest, handedOver - amount);
}

/* A card was declined after all, or an amount was typed wrong: nothing is paid of the ticket. */
async function unpay() {
  const what = open.tenders.map(({ kind, amount }) => `${say(`by-${kind}`)} ${money(amount)}`).join(", ");
  await change(ticket.set(db, { tenders: [] }));
  announce(say("unpaid", { what }), "danger");
}

const here = () => ({ pack, goods, used, clerk, offset, shift: drawer?.shift ?? null, isTraining });

/* Write down what is no sale; it is on the disk when this has ended. */
async function note(kind, fields, also) {
  const make = (sequence, till) => ({ ...signed(here(), sequence, till), kind, ...fields });
  try {
    await journal.note(db, make, also);
  } catch (error) {
    if (error?.name !== "QuotaExceededError") throw error;
    await makeRoom(db);
    await journal.note(db, make, also);
  }
  sender.told("journal");
  sender.wake();
}

/* What is opened in training is another drawer: the real one is there when training is over. */
const drawerKey = () => (isTraining ? "training-drawer" : "drawer");

/* Money that was taken for a ticket was taken for it: it is paid as what it was begun. */
async function train(is) {
  byId("training").checked = isTraining;
  if (open?.tenders.length) return announce(say("paid-first"), "warning");
  isTraining = is;
  await database.write(db, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta");
    await Promise.all([database.ask(store.put(is, "training")), database.ask(store.delete("training-drawer"))]);
    drawer = (await database.ask(store.get(drawerKey()))) ?? null;
  });
  showTraining();
  showDrawer();
}

/* In training every view says so. */
function showTraining() {
  show("is-training", isTraining);
  show("training-mark", isTraining);
  root.toggleAttribute("data-training", isTraining);
  byId("training").checked = isTraining;
}

function showDrawer() {
  byId("drawer-name").textContent = drawer ? say("drawer-of", { name: drawer.name }) : "";
}

async function sell(tenders, rounding, back) {
  const seen = open, make = entryOf(here(), tenders, rounding);
  let entry;
  try {
    entry = await journal.sell(db, seen, make).catch(async (error) => {
      if (error?.name !== "QuotaExceededError") throw error;
      await makeRoom(db); // what is on the ticket is in memory; the rest is loaded again when there is room
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
  await showCount();
  showReceipt({ entry, id: entry.id, verdict: null }, back, true);
  open = await ticket.current(db);
  showTicket();
  sender.told("journal");
  sender.wake();
}

function count(entry) {
  if (entry.training || entry.kind || counted.has(entry.id)) return;
  counted.add(entry.id);
  const given = new Map();
  for (const line of entry.lines) {
    for (const [part, each] of partsOf(line.variant)) sold.set(part, (sold.get(part) ?? 0) + line.quantity * each);
    for (const { promotion, amount } of line.reductions) if (promotion) given.set(promotion, (given.get(promotion) ?? 0) + amount);
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

function showReceipt(sale, back, isNew) {
  const { entry } = sale, receipt = byId("receipt");
  useCurrency(entry.currency);
  show("desk", false);
  show("done", true);
  byId("change").textContent = isNew && back > 0 ? money(back) : "";
  show("change-box", isNew && back > 0);
  show("is-sold", isNew && !entry.training);
  show("is-tried", isNew && entry.training);
  byId("is-sold").dataset.sale = entry.id;
  const row = (text, amount, css = "") => fill("receipt-row", { text, amount: money(amount), row: (place) => css && place.classList.add(css) });
  const parts = entry.lines.map((line) => row(`${line.title}${line.options ? `, ${line.options}` : ""}${perText(line.sold_by) || line.quantity > 1 ? ` (${amountOf(line.quantity, line.sold_by)} × ${money(line.unit_price)}${perText(line.sold_by)})` : ""}${line.reductions.map((each) => ` · ${reduction(each)}`).join("")}${serialsOf(line) ? ` · ${say("serial", { codes: serialsOf(line) })}` : ""}`, line.total));
  byId("receipt-lines").replaceChildren(...parts, ...(entry.cards ?? []).map((each) => row(say("gift-card-line", { four: each.last_four }), each.amount)));
  byId("receipt-sums").replaceChildren(
    ...(entry.rounding ? [row(say("rounding"), entry.rounding)] : []),
    row(say("total"), entry.total + entry.rounding, "total"),
    ...taxes(entry.lines).map(([rate, net, tax]) => row(say("tax-on", { rate: percent(rate), net: money(net) }), tax)),
    ...(entry.tip ? [row(say("tip"), entry.tip)] : []),
    ...entry.tenders.flatMap((each) => [
      row(say(`by-${each.kind}`), each.tendered ?? each.amount),
      ...(each.tendered > each.amount ? [row(say("given-back"), each.amount - each.tendered)] : []),
    ]),
  );
  byId("receipt-head").textContent = `${moment(entry.happened_at)} · ${numberOf(entry)}${sale.verdict?.number ? ` · ${sale.verdict.number}` : ""}`;
  byId("receipt-kind").textContent = entry.training ? say("training-receipt") : isNew ? "" : say("copy");
  byId("receipt-clerk").textContent = entry.clerk_name ? say("served", { name: entry.clerk_name }) : "";
  receipt.dataset.sale = entry.id;
  checkCode.draw(db, entry, byId("receipt-code"), root.dataset.receipts);
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
          button.textContent = `${numberOf(entry)} · ${entry.kind ? say(`kind-${entry.kind}`) : money(entry.total + entry.rounding)}`;
          button.disabled = Boolean(entry.kind);
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
    if (event.target.closest("[data-weigh]")) weighAgain(event.target);
  });
  byId("clear").addEventListener("click", () => (open.tenders.length ? announce(say("paid-first"), "warning") : change(ticket.clear(db))));
  byId("unpay").addEventListener("click", unpay);
  const acts = { customer: extras.customer, code: extras.code, discount: extras.discount, parked: extras.parked, "pick-ups": counter.pickUps, returns: returns.returns, gift: giftCards.redeem, "card-sale": giftCards.sell, drawer: counter.drawer };
  for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => pack && (till.may(button.dataset.act) ? acts[button.dataset.act](till) : announce(clerk ? say("may-not", { name: clerk.name }) : say("may-not-locked"), "warning")));
  panel.listen();
  for (const button of document.querySelectorAll("[data-pay]")) button.addEventListener("click", () => askFor(button.dataset.pay));
  byId("pay-quick").addEventListener("click", (event) => event.target.value && take(Number(event.target.value)));
  byId("tip-quick").addEventListener("click", (event) => event.target.value && tip(Number(event.target.value)));
  byId("tip-form").addEventListener("submit", (event) => {
    event.preventDefault();
    tip(typed(byId("tip-amount").value));
  });
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
  byId("import").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) await bringIn(file);
    event.target.value = ""; // or the same file, chosen again, would be no change
  });
  byId("training").addEventListener("change", (event) => train(event.target.checked));
}

function weighAgain(element) {
  const { variant } = element.closest("[data-variant]").dataset, row = goods.get(variant);
  if (row) weigh(till, row, (quantity) => change(ticket.setQuantity(db, variant, quantity)));
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
    await change(ticket.current(db), false);
  });
  sender.addEventListener("loading", ({ detail }) => (byId("loading").textContent = say("loading", { n: detail })));
  sender.addEventListener("clock", () => (offset = sender.offset));
  sender.addEventListener("pack", load);
  sender.addEventListener("day", async () => {
    day = await people.forget(db);
    clerks.look();
  });
  sender.addEventListener("clerk", async () => {
    clerk = await who.read(db);
    clerks.look();
  });
  sender.addEventListener("state", async () => sender.state === "sign-in" && (day = await people.forget(db, { isOut: true })));
}

async function load() {
  const found = await restore(db, goods);
  pack = found ?? pack;
  [sold, used, counted] = [new Map(), {}, new Set()];
  await countAll();
  [clerk, offset, isTraining] = [await who.read(db), (await database.meta(db, "clock"))?.offset ?? null, (await database.meta(db, "training")) ?? false];
  [day, drawer] = [await people.forget(db), (await database.meta(db, drawerKey())) ?? null];
  showDrawer();
  showTraining();
  byId("loading").textContent = "";
  show("no-pack", !pack);
  show("desk-in", Boolean(pack));
  clerks.look();
  if (!pack) return;
  useCurrency(pack.store.currency);
  byId("receipt-store").textContent = pack.store.name;
  byId("receipt-place").textContent = pack.store.lines.join(", ");
  byId("receipt-foot").textContent = pack.store.receipt_footer || say("thanks");
  byId("pack-at").textContent = say("pack-at", { at: moment(pack.at), n: pack.size ?? goods.size });
  const carried = await database.meta(db, "online");
  await goods.need((carried?.lines ?? []).map((line) => line.variant));
  open = await ticket.takeOver(db, Date.now() - CARRIED_HOURS * 3_600_000, (line) => {
    const row = goods.get(line.variant);
    return { ...line, tax_class: row?.[TAX] ?? line.tax_class ?? "standard" };
  });
  if (open.version === 0) open = await ticket.current(db);
  if (open.cart && open.lines.length) announce(say("carried"), "success");
  await goods.need(open.lines.map((line) => line.variant));
  showTicket();
  goods.fill().catch((error) => console.warn("the till cannot search yet", error));
}

db = await database.open(code);
device = await database.device(db, code);
sender = new Sender(db, code, device.id);
listen();
clerks.begin(till);
hear();
await load();
await showState();
await storage.look(db);
root.dataset.ready = "";
byId("code").focus();
registered().then(() => keepShell(code)).catch(() => {});
sender.run();
