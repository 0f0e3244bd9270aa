/* The kiosk: a customer scans, pays and takes the receipt along, with network or without. It is the till's own code with fewer buttons:
   the same pack, rules, journal and sender. What a kiosk may not do the server does not do for it either (`samlad.tills.kiosk`). */

import * as database from "../offline/database.js";
import { entryOf } from "../offline/entry.js";
import * as giftCards from "../offline/gift_cards.js";
import { Goods, ID, SKU, TITLE, OPTIONS, PRICE, TAX, SCALE, makeRoom, restore, soldBy } from "../offline/goods.js";
import * as journal from "../offline/journal.js";
import { Twice } from "../offline/lots.js";
import * as panel from "../offline/panel.js";
import * as people from "../offline/people.js";
import { reckon, serverNow, taxes, today } from "../offline/reckon.js";
import { Sender } from "../offline/sender.js";
import { Away, here } from "../offline/server.js";
import { keepShell, registered } from "../offline/shell.js";
import * as ticket from "../offline/ticket.js";
import { amountOf, announce, byId, exponent, fill, money, percent, perText, root, say, show, speak, useCurrency } from "../offline/screen.js";
import * as card from "./card.js";
import { watch } from "./patience.js";
import * as receipt from "./receipt.js";
import * as staff from "./staff.js";

const code = root.dataset.till, base = `/pos/${code}/kiosk`, tongues = JSON.parse(root.dataset.words), HELPED_SECONDS = 300;
const ASK_MS = 10_000; // one that was taken back is closed within moments: processes of the server remember its session for five seconds more
const goods = new Goods(), VIEWS = ["no-pack", "closed", "start", "shop", "done"];
let db, device, sender, pack = null, day = null, open = null, sums = null, offset = null, used = {}, view = "", isHelpCalled = false, isPaying = false;

/* What the dialogs of the till's own scripts may know and do. */
const till = {
  get db() { return db; },
  get open() { return open; },
  get pack() { return pack; },
  get day() { return day; },
  get code() { return code; },
  due: () => due(),
  pay: (tender) => (tender.amount < due() ? change(ticket.tender(db, open.version, tender)) : sell([...open.tenders, tender])),
  change,
  post,
  async checked(person) {
    await change(ticket.set(db, { checked_by: person.id }));
    await helped();
    announce(say("staff-checked"), "success");
  },
  helped,
  taken: () => location.assign(`/admin/sign-in?next=/pos/${code}`),
};

/* What a payment at the terminal may know and do (`card.js`). */
const atTerminal = {
  get db() { return db; },
  get currency() { return pack.store.currency; },
  code,
  base,
  sold: (tenders) => sell([...open.tenders, ...tenders]),
  async entryOf(whole, tenders) {
    await goods.need(whole.lines.map((line) => line.variant));
    const make = entryOf(about(), tenders, 0);
    return (sequence, device) => make(sequence, device, whole);
  },
  waits: () => showState(),
  recorded(entry) {
    count(entry);
    if (view === "start") thank(entry); // nobody else has begun: whoever paid may still stand there
    sender.told("journal");
    sender.wake();
  },
  back: (state) => announce(say(`card-${state === "none" ? "failed" : state}`), "warning"),
  refresh: () => change(ticket.current(db)),
};

/* -- what is shown ---------------------------------------------------------------------------------------------------------- */

function look(name) {
  view = name;
  for (const each of VIEWS) show(each, each === name);
  for (const id of ["help", "staff-open"]) show(id, name !== "closed"); // nobody hears a call from here any more
  if (name === "closed") forgetCall();
  if (name === "shop") byId("code").focus();
  if (name === "start") byId("begin").focus();
}

/* All texts in a language; what is drawn from data is drawn again. */
function talk(language) {
  speak(language, tongues[language]);
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = say(place.dataset.say);
  for (const place of document.querySelectorAll("[data-say-label]")) place.setAttribute("aria-label", say(place.dataset.sayLabel));
  for (const place of document.querySelectorAll("[data-say-hint]")) place.setAttribute("placeholder", say(place.dataset.sayHint));
  for (const button of document.querySelectorAll("[data-tongue]")) button.setAttribute("aria-pressed", String(button.dataset.tongue === language));
  showState();
  if (open && pack) showBasket();
}

const paid = () => open.tenders.reduce((sum, each) => sum + each.amount, 0);
const due = () => sums.total - paid();
const needsStaff = (variant) => (goods.get(variant)?.[SCALE]?.[1] ?? []).some((mark) => (pack.store.kiosk?.staff_marks ?? []).includes(mark));
const isWaiting = () => !open.checked_by && open.lines.some((line) => needsStaff(line.variant));

function showBasket() {
  sums = reckon(open.lines, pack, goods, used, open, serverNow(offset));
  byId("ticket").replaceChildren(
    ...[...sums.lines].reverse().map((line) =>
      fill("line", {
        item: (item) => (item.dataset.variant = line.variant),
        title: line.title,
        options: line.options,
        about: `${money(line.price)}${perText(line.sold_by)}`,
        off: line.reductions.map(({ name, amount }) => `${name} −${money(amount)}`).join(" · "),
        total: money(line.total),
        weighed: perText(line.sold_by) ? amountOf(line.quantity, line.sold_by) : null,
        stepper: (box) => (box.hidden = Boolean(perText(line.sold_by))),
        less: (button) => button.setAttribute("aria-label", say("less")),
        more: (button) => button.setAttribute("aria-label", say("more")),
        quantity: (field) => {
          field.value = line.quantity;
          field.setAttribute("aria-label", say("pieces", { title: line.title }));
        },
        check: needsStaff(line.variant) ? (badge) => ((badge.textContent = say(open.checked_by ? "was-checked" : "needs-staff")), badge.classList.add(open.checked_by ? "success" : "warning")) : null,
        remove: (button) => button.setAttribute("aria-label", say("remove", { title: line.title })),
      }),
    ),
  );
  show("empty", !open.lines.length);
  show("member", Boolean(open.customer));
  byId("total").textContent = money(due());
  byId("tax").textContent = taxes(sums.lines).map(([rate, , tax]) => say("tax", { rate: percent(rate), tax: money(tax) })).join(" · ");
  byId("paid").textContent = open.tenders.length ? say("paid", { amount: money(paid()) }) : "";
  byId("pay-open").disabled = !open.lines.length;
}

let wanted = "";
async function showResults(text) {
  wanted = text;
  const found = text ? await goods.search(text) : [];
  if (wanted !== text) return; // something else was typed meanwhile
  byId("results").replaceChildren(
    ...found.map((row) => fill("result", { button: (button) => (button.dataset.variant = row[ID]), title: row[TITLE], options: row[OPTIONS], price: `${money(row[PRICE])}${perText(soldBy(row))}` })),
  );
  byId("found").textContent = text ? (found.length ? say("found", { n: found.length }) : say("nothing", { text })) : "";
}

async function showState() {
  if (!sender) return;
  const entries = await journal.count(db), cards = await card.unsettled(db);
  const unsent = [say("unsent", { n: entries }), ...(cards ? [say("unsettled", { n: cards })] : [])].join(" · ");
  byId("net").textContent = sender.state === "network" ? say("no-network") : "";
  byId("net").dataset.state = sender.state;
  byId("closed-unsent").textContent = byId("staff-unsent").textContent = unsent;
  byId("waits").textContent = unsent; // on the page between two customers, where staff who walk by see it
  byId("waits").hidden = !(entries || cards);
  root.dataset.unsent = entries;
  if (sender.state === "sign-in" && view !== "done") look("closed"); // taken back from elsewhere: whoever paid, or is paying (a dialog), still gets the receipt
  else if (sender.state === "online" && view === "closed") look(pack ? "start" : "no-pack");
}

/* -- what a customer does ------------------------------------------------------------------------------------------------------ */

async function change(work) {
  open = await work;
  await goods.need(open.lines.map((line) => line.variant));
  showBasket();
}

/* `quantity` 0: it is weighed, and its code does not say how much there is. */
async function put(row, quantity = soldBy(row) === "piece" ? 1 : 0, one = null) {
  if (!quantity) return announce(say("weigh-label"), "warning");
  announce("");
  await unpay();
  const line = { variant: row[ID], sku: row[SKU], title: row[TITLE], options: row[OPTIONS], price: row[PRICE], tax_class: row[TAX], sold_by: soldBy(row) };
  await change(ticket.add(db, line, quantity, one)).catch((error) => {
    if (!(error instanceof Twice)) throw error;
    announce(say("twice"), "warning");
  });
}

async function scan(text) {
  if (people.isMember(text)) {
    const [member] = await people.find(day, text);
    byId("code").value = "";
    if (!member) return announce(say("member-unknown"), "warning");
    return change(ticket.set(db, { customer: member }));
  }
  const found = text && (await goods.read(text, pack.store.scale_codes ?? [], exponent()));
  if (!found) return showResults(text);
  byId("code").value = "";
  showResults("");
  await put(found.row, found.is_wrong ? 0 : found.quantity, found.one);
  if (found.expires_on && found.expires_on < today(pack.store.time_zone, offset)) announce(say("expired", { day: found.expires_on }), "danger");
}

/* Everything of the customer goes; the kiosk is the next one's. */
async function startOver() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  receipt.forget();
  byId("code").value = "";
  showResults("");
  announce("");
  card.away();
  open = await card.clear(db, ticket.fresh);
  card.settle();
  if (pack) useCurrency(pack.store.currency);
  look(sender.state === "sign-in" ? "closed" : pack ? "start" : "no-pack");
  talk(root.dataset.language);
}

function pay() {
  if (isWaiting()) {
    callHelp();
    return staff.open(true);
  }
  if (due() <= 0) return sell(open.tenders);
  byId("pay-due").textContent = money(due());
  show("pay-gift", Boolean(day?.card_limit));
  showCard();
  byId("pay").showModal();
}

/* Whether a card can be taken now: the server asks the terminal. */
function showCard() {
  const isHere = Boolean(pack?.store.kiosk?.takes_cards), isOn = sender.state === "online";
  show("pay-card", isHere);
  byId("pay-card").disabled = !isOn;
  byId("pay-note").textContent = say(!isHere ? "no-cards" : isOn ? "no-cash" : "card-offline");
}

function payByCard() {
  byId("pay").close();
  return card.pay(open.id, due(), (asked) => change(ticket.set(db, { card: asked })));
}

const about = () => ({ pack, goods, used, clerk: null, offset, shift: null, isTraining: false });

/* Whether it is on the disk. */
async function sell(tenders) {
  if (isPaying) return false;
  isPaying = true;
  const seen = open, make = entryOf(about(), tenders, 0);
  let entry;
  try {
    entry = await journal.sell(db, seen, make).catch(async (error) => {
      if (error?.name !== "QuotaExceededError") throw error;
      await makeRoom(db); // what is in the basket is in memory; the rest is loaded again when there is room
      return journal.sell(db, seen, make);
    });
  } catch (error) {
    open = await ticket.current(db).catch(() => open);
    showBasket();
    announce(say(error instanceof ticket.Changed || error?.name === "ConstraintError" ? "changed" : "not-written"), "danger");
    return false;
  } finally {
    isPaying = false;
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  }
  // It is on the disk: only now anything says so.
  count(entry);
  thank(entry);
  open = await ticket.current(db);
  sender.told("journal");
  sender.wake();
  return true;
}

function thank(entry) {
  receipt.show(db, entry, pack.store);
  look("done");
  byId("sold-title").focus();
}

/* What promotions gave since the rules were made. */
function count(entry) {
  if (entry.kind || entry.training) return;
  for (const { promotion, amount } of entry.lines.flatMap((line) => line.reductions)) {
    if (!promotion) continue;
    const { uses = 0, spent = 0, by = "" } = used[promotion] ?? {};
    used[promotion] = { uses: by === entry.id ? uses : uses + 1, spent: spent + amount, by: entry.id };
  }
}

/* -- help ------------------------------------------------------------------------------------------------------------------------ */

/* Whether the server has done it; false without network, and on a kiosk that was taken back, which knows it from then on. */
async function post(path, fields = {}) {
  try {
    const { csrf } = await here(`/pos/${code}/offline/here`);
    const answer = await fetch(`${base}/${path}`, { method: "POST", headers: { "X-CSRF-Token": csrf }, body: new URLSearchParams({ sent: "1", ...fields }), credentials: "same-origin" });
    if (answer.status === 401 || answer.status === 403) await here(`/pos/${code}`);
    return answer.ok;
  } catch (error) {
    if (error instanceof Away) sender.be(error.why);
    return false;
  }
}

async function callHelp() {
  const isHeard = await post("help");
  isHelpCalled = isHeard;
  show("help-called", isHeard);
  if (!isHeard && view !== "closed") announce(say(sender.state === "sign-in" ? "help-closed" : "help-offline"), "danger");
}

async function helped() {
  if (isHelpCalled) await post("help", { stop: "1" });
  forgetCall();
}

function forgetCall() {
  isHelpCalled = false;
  show("help-called", false);
}

/* -- listening ---------------------------------------------------------------------------------------------------------------------- */

function begin() {
  if (view === "start") look("shop");
}

function listen() {
  byId("begin").addEventListener("click", begin);
  for (const button of document.querySelectorAll("[data-tongue]")) button.addEventListener("click", () => talk(button.dataset.tongue));
  for (const button of document.querySelectorAll("[data-shut]")) button.addEventListener("click", () => byId(button.dataset.shut).close());
  // A scanner types: what comes while nothing has the focus is a code, and begins a purchase by itself.
  addEventListener("keydown", (event) => {
    const isFree = !document.querySelector("dialog[open]") && !event.target.closest("input, select, textarea");
    if (!isFree || event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
    begin();
    if (view === "shop") byId("code").focus();
  });
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
    if (!row) return;
    byId("code").value = "";
    showResults("");
    byId("code").focus();
    put(row);
  });
  byId("ticket").addEventListener("change", (event) => setLine(event.target, Math.max(0, Math.min(99, Math.trunc(Number(event.target.value)) || 0))));
  byId("ticket").addEventListener("click", (event) => event.target.closest("[data-remove]") && setLine(event.target, 0));
  byId("member-off").addEventListener("click", () => change(ticket.set(db, { customer: null })));
  byId("clear").addEventListener("click", () => (open.lines.length ? byId("ask-clear").showModal() : startOver()));
  byId("clear-yes").addEventListener("click", startOver);
  byId("pay-open").addEventListener("click", pay);
  byId("pay-card").addEventListener("click", payByCard);
  byId("pay-gift").addEventListener("click", () => {
    byId("pay").close();
    giftCards.redeem(till);
  });
  byId("take-out").addEventListener("click", async () => {
    for (const { variant } of open.lines.filter((line) => needsStaff(line.variant))) await change(ticket.setQuantity(db, variant, 0));
    byId("staff-box").close();
    await helped();
  });
  byId("finish").addEventListener("click", startOver);
  byId("help").addEventListener("click", callHelp);
  byId("help-stop").addEventListener("click", helped);
  panel.listen();
}

async function setLine(element, quantity) {
  const { variant } = element.closest("[data-variant]").dataset;
  await unpay();
  await change(ticket.setQuantity(db, variant, quantity));
}

/* What a gift card was to pay is asked for anew when the basket is another: nothing was taken of it yet. */
const unpay = async () => open.tenders.length && change(ticket.set(db, { tenders: [] }));

function hear() {
  sender.addEventListener("state", () => {
    showState();
    showCard();
    if (sender.state === "online") card.settle();
  });
  sender.addEventListener("journal", async () => {
    await showState();
    await receipt.fetched(db, base);
  });
  sender.addEventListener("loading", ({ detail }) => (byId("loading").textContent = say("loading", { n: detail })));
  sender.addEventListener("clock", () => (offset = sender.offset));
  sender.addEventListener("pack", load);
  sender.addEventListener("day", readDay);
}

/* What came along for the day. What the device carried while it was a till names people, and goes at once. */
async function readDay() {
  day = await people.forget(db);
  if (!day || day.is_kiosk) return;
  day = null;
  await database.write(db, ["meta"], (transaction) => database.ask(transaction.objectStore("meta").delete("day")));
  sender.hasSent = true; // it is asked for anew
}

async function load() {
  pack = (await restore(db, goods)) ?? pack;
  [used, offset] = [{}, (await database.meta(db, "clock"))?.offset ?? null];
  for (const { entry } of await journal.unsent(db)) count(entry);
  await readDay();
  open = await ticket.current(db);
  if (!pack) return look("no-pack");
  useCurrency(pack.store.currency);
  await goods.need(open.lines.map((line) => line.variant));
  showBasket();
  if (!view || view === "no-pack") look(open.lines.length ? "shop" : "start");
  goods.fill().catch((error) => console.warn("the kiosk cannot search yet", error));
}

db = await database.open(code);
device = await database.device(db, code);
sender = new Sender(db, code, device.id, ASK_MS, () => card.unsettled(db));
listen();
staff.begin(till);
receipt.listen(post);
hear();
card.begin(atTerminal);
await card.clear(db, ticket.fresh).catch(() => {}); // whoever began before it was closed is gone
await load();
talk(root.dataset.language);
watch(() => (isHelpCalled ? HELPED_SECONDS : view === "done" || view === "shop" ? (pack.store.kiosk?.idle_seconds ?? 90) : 0), startOver);
navigator.storage?.persist?.();
root.dataset.ready = "";
registered().then(() => keepShell(code, "kiosk")).then((is) => (root.dataset.kept = String(is))).catch(() => {});
sender.run();
