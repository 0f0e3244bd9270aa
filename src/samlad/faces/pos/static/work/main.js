/* Store work on a phone: counting, picking, receiving, with a network or without. What somebody does is in the outbox, on the disk,
   before it is shown as done; `sender.js` sends it. Where one is stands in the address, so that a page that dies comes back there. */

import { announce, byId, clock, fill, moment, root, say, show } from "../offline/screen.js";
import { keepWork, registered } from "../offline/shell.js";
import * as storage from "../offline/storage.js";
import { counting, find, found, lineOf, picked, saysMore } from "./overlay.js";
import * as queue from "./queue.js";
import { Sender } from "./sender.js";

const code = root.dataset.work;
const VIEWS = ["home", "count", "pick", "coming", "list"];
const LARGEST = 1_000_000;
let db, sender, tasks, who, items = [];

const place = () => {
  const [name, id] = location.hash.slice(1).split("/");
  return VIEWS.includes(name) ? { name, id } : { name: "home" };
};
const whole = (text) => (/^\d{1,7}$/.test(text.trim()) && Number(text) <= LARGEST ? Number(text) : null);
const goodOf = (variant) => tasks?.goods.find(([id]) => id === variant) ?? [variant, "", null, ""];

/* Write something down, then say so. Answers whether it is written. */
async function put(fields, said, also) {
  try {
    await queue.add(db, fields, also);
  } catch (error) {
    announce(say(error.name === "NotAllowedError" ? "nobody" : "not-written"), "danger");
    return false;
  }
  if (said) announce(said, "success");
  sender.told("queue");
  sender.wake();
  return true;
}

/* -- what is shown ------------------------------------------------------------------------------------------------------- */

let drawing = Promise.resolve();
const draw = () => (drawing = drawing.then(render).catch((error) => console.warn("the page could not be drawn", error)));

async function render() {
  await queue.forgetOld(db);
  [tasks, who, items] = await Promise.all([queue.meta(db, "tasks"), queue.meta(db, "who"), queue.all(db)]);
  const { name, id } = place();
  const waiting = items.filter(({ state }) => state === queue.UNSENT), refused = items.filter(({ state }) => state === queue.REFUSED);
  count("unsent", waiting.length, "warning");
  count("refused", refused.length, "danger");
  show("refused", refused.length > 0);
  byId("net").textContent = say({ online: "online", network: "no-network", "sign-in": "sign-in" }[sender.state] ?? "connecting");
  byId("net").classList.toggle("on", sender.state === "online");
  byId("net").dataset.state = sender.state;
  byId("clerk").textContent = who?.name ?? "";
  show("signed-out", !who);
  byId("signed-out-unsent").textContent = waiting.length ? say("unsent-waits", { n: waiting.length }) : "";
  show("no-tasks", Boolean(who) && !tasks);
  const draws = { home: drawHome, count: drawCount, pick: drawPick, coming: drawComing, list: drawList };
  const isOpen = Boolean(who) && (name === "list" || Boolean(tasks));
  for (const view of VIEWS) show(`view-${view}`, isOpen && view === name);
  show("back", isOpen && name !== "home");
  if (isOpen) await draws[name](id, waiting, refused);
  root.dataset.ready = "";
}

function count(id, n, kind) {
  byId(id).dataset.n = n;
  byId(id).querySelector(".badge").classList.toggle(kind, n > 0);
  byId(id).querySelector("[data-count]").textContent = n;
}

const link = (href, title, about, badge = "", kind = "") =>
  fill("work-row", { link: (element) => (element.href = href), title, about: about || null, badge: badge ? (element) => (element.textContent = badge) && kind && element.classList.add(kind) : null });

const unsentOf = (name, id) => items.filter(({ state, entry }) => state === queue.UNSENT && entry[name] === id).length;
const notSent = (n) => (n ? [say("n-unsent", { n }), "warning"] : []);

/* The slot within which it is brought; nothing where there is none. */
const broughtAt = (work) => (work.since ? say("brought", { since: clock(work.since), until: clock(work.until) }) : "");

function drawHome() {
  const { picks, coming } = tasks, counts = counting(tasks, items);
  show("begin-count", Boolean(tasks.may_count));
  byId("counts").replaceChildren(...counts.map((each) => link(`#count/${each.id}`, each.note || say("count"), moment(each.created_at), ...notSent(unsentOf("count", each.id)))));
  byId("picks").replaceChildren(
    ...picks.map((work) => {
      const now = picked(tasks, work, items), units = work.lines.reduce((sum, line) => sum + line.quantity, 0);
      const about = [say("by", { at: moment(work.due_at) }), broughtAt(work), say("pieces", { n: units }), !now.isMine && work.taken_name ? say("has-it", { name: work.taken_name }) : ""];
      return link(`#pick/${work.id}`, work.number, about.filter(Boolean).join(" · "), ...(now.unsent ? notSent(now.unsent) : [say(`state-${now.isGivenUp ? "given-up" : now.state}`)]));
    }),
  );
  byId("comings").replaceChildren(
    ...coming.map((each) => {
      const units = each.lines.reduce((sum, line) => sum + line[1], 0), n = unsentOf(each.kind, each.id);
      return link(`#coming/${each.id}`, each.name, [say(each.kind), say("pieces", { n: units }), each.expected_on ?? ""].filter(Boolean).join(" · "), ...notSent(n));
    }),
  );
  for (const name of ["counts", "picks", "comings"]) show(`${name}-none`, !byId(name).children.length);
}

/* What is not among the work any more: somebody ended it, or it is another's. */
function gone(name, is) {
  show(`${name}-gone`, is);
  show(`${name}-here`, !is);
  return is;
}

function drawCount(id) {
  const task = counting(tasks, items).find((each) => each.id === id);
  gone("count", !task);
  show("close-count", Boolean(task && tasks.may_count));
  byId("count-title").textContent = task?.note || say("count");
  byId("found").replaceChildren(
    ...found(tasks, id, items).map(({ sku, title, total, unsent }) =>
      fill("found-row", { title: title || sku, sku: title ? sku : say("unknown-here"), total: String(total), unsent: unsent ? say("n-unsent", { n: unsent }) : null }),
    ),
  );
}

function drawPick(id) {
  const work = tasks.picks.find((each) => each.id === id);
  if (gone("pick", !work)) return;
  const now = picked(tasks, work, items), isMine = now.isMine && !now.isGivenUp;
  byId("pick-title").textContent = work.number;
  byId("pick-state").textContent = say(`state-${now.isGivenUp ? "given-up" : now.state}`);
  byId("pick-about").textContent = [say("by", { at: moment(work.due_at) }), broughtAt(work), !now.isMine && work.taken_name ? say("has-it", { name: work.taken_name }) : ""].filter(Boolean).join(" · ");
  const isPacking = isMine && now.state === "picked" && work.is_sent;
  show("take", now.state === "open" && !now.isGivenUp);
  show("pick-scan-box", (isMine && now.state === "picking") || isPacking);
  byId("pick-label").textContent = say(isPacking ? "scan-pack" : "scan-pick");
  show("pack-all", isPacking);
  show("give-up", (now.state === "open" || isMine) && now.state !== "packed" && !now.isGivenUp);
  show("pick-online", !now.isGivenUp && (now.state === "packed" || (now.state === "picked" && !work.is_sent)));
  byId("pick-link").href = `/pos/work/${code}/${work.id}`;
  byId("pick-lines").replaceChildren(
    ...now.lines.map((line) => {
      const done = isPacking ? line.packed : line.picked, isDone = line.picked >= line.quantity;
      return fill("pick-row", {
        title: line.title,
        about: [line.options, line.bin ? say("bin", { bin: line.bin }) : "", line.sku ?? ""].filter(Boolean).join(" · "),
        count: `${done} / ${line.quantity}`,
        button: (button) => {
          if (!isMine || now.state === "packed") return button.remove();
          button.dataset.position = line.position;
          button.dataset.quantity = isDone ? 0 : line.quantity;
          button.textContent = say(isDone ? "put-back" : "have-all");
          button.setAttribute("aria-label", `${button.textContent}: ${line.title}`);
        },
      });
    }),
  );
  if (byId("give-up").open) return; // somebody is filling it in
  byId("give-up-lines").replaceChildren(
    ...now.lines.map((line) =>
      fill("give-up-row", {
        label: (label) => Object.assign(label, { textContent: line.title, htmlFor: `give-up-${line.position}` }),
        input: (input) => Object.assign(input, { id: `give-up-${line.position}`, name: String(line.position), value: line.quantity - (now.state === "picking" ? line.picked : 0), max: line.quantity }),
      }),
    ),
  );
}

/* -- goods that come ----------------------------------------------------------------------------------------------------- */

const draftOf = async (id) => (await queue.meta(db, `draft:${id}`)) ?? {};
const keyOf = ([variant, , lot]) => `${variant}|${lot ?? ""}`;

/* What was counted of goods that come is on the disk, too, before it is shown. */
const setDraft = (id, change) =>
  queue
    .write(db, ["meta"], async (transaction) => {
      const store = transaction.objectStore("meta"), draft = { ...((await queue.ask(store.get(`draft:${id}`))) ?? {}) };
      change(draft);
      await queue.ask(store.put(draft, `draft:${id}`));
    })
    .then(draw, () => announce(say("not-written"), "danger"));

async function drawComing(id) {
  const task = tasks.coming.find((each) => each.id === id);
  if (gone("coming", !task)) return;
  byId("coming-title").textContent = task.name;
  byId("coming-about").textContent = [say(task.kind), task.expected_on ?? ""].filter(Boolean).join(" · ");
  const n = unsentOf(task.kind, id), draft = await draftOf(id);
  byId("coming-unsent").textContent = n ? say("booked-unsent", { n }) : "";
  if (document.activeElement?.closest("#coming-lines")) return; // somebody is typing there
  const scanned = Object.keys(draft).filter((key) => !task.lines.some((line) => keyOf(line) === key) && draft[key]);
  byId("coming-lines").replaceChildren(
    ...task.lines.map((line) => comingRow(keyOf(line), goodOf(line[0])[3] || goodOf(line[0])[1], [goodOf(line[0])[1], line[2] ? say("lot", { lot: line[2] }) : "", say("expected", { n: line[1] })], draft)),
    ...scanned.map((key) => comingRow(key, key.slice(5), [say("as-scanned")], draft)),
  );
}

const comingRow = (key, title, about, draft) =>
  fill("coming-row", {
    title,
    about: about.filter(Boolean).join(" · "),
    input: (input) => {
      Object.assign(input, { value: draft[key] ?? 0 }).dataset.key = key;
      input.setAttribute("aria-label", say("came-of", { title }));
    },
  });

function scanComing(id, text) {
  const task = tasks.coming.find((each) => each.id === id), variant = find(tasks.goods, text)?.[0];
  const lines = task.lines.filter(([each]) => each === variant);
  if (!saysMore(text) && !lines.length) return announce(say("not-among"), "danger");
  const key = saysMore(text) && !(lines.length === 1 && !lines[0][2] && task.kind === "transfer") ? `code:${text}` : keyOf(lines[0]);
  announce(variant ? goodOf(variant)[3] : text, "success");
  return setDraft(id, (draft) => (draft[key] = (draft[key] ?? 0) + 1));
}

async function book(id) {
  const task = tasks.coming.find((each) => each.id === id), draft = await draftOf(id);
  const lines = Object.entries(draft).filter(([, quantity]) => quantity).map(([key, quantity]) => {
    if (key.startsWith("code:")) return { code: key.slice(5), quantity };
    const [variant, lot] = key.split("|");
    return lot ? { variant, lot, quantity } : { variant, quantity };
  });
  if (!lines.length) return announce(say("nothing-came"), "warning");
  const fields = task.kind === "transfer" ? { kind: "arrival", transfer: id } : { kind: "delivery", purchase: id };
  document.activeElement?.blur?.();
  await put({ ...fields, version: task.version, lines }, say("booked"), (store) => queue.ask(store.delete(`draft:${id}`)));
}

/* -- what is not sent, and what was refused ------------------------------------------------------------------------------- */

function drawList(_id, waiting, refused) {
  show("unsent-none", !waiting.length);
  show("export", waiting.length + refused.length > 0);
  byId("unsent-list").replaceChildren(...waiting.map((item) => fill("queue-row", { title: titleOf(item.entry), about: aboutOf(item.entry), why: null, again: null, remove: null })));
  show("refused-box", refused.length > 0);
  byId("refused-list").replaceChildren(
    ...refused.map((item) =>
      fill("queue-row", {
        title: titleOf(item.entry),
        about: aboutOf(item.entry),
        why: item.verdict ? item.verdict.detail : say("not-taken"),
        again: (button) => (button.dataset.again = item.id),
        remove: (button) => (item.verdict ? (button.dataset.letGo = item.id) : button.remove()),
      }),
    ),
  );
}

async function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await queue.exported(db, code));
  link.download = `store-work-${code}-${new Date().toISOString().slice(0, 16).replace(":", "")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function bringIn(file) {
  try {
    announce(say("imported", { n: await queue.imported(db, code, await file.text()) }), "success");
    sender.told("queue");
    sender.wake();
  } catch (error) {
    announce(say(error instanceof TypeError || error instanceof SyntaxError ? "not-imported" : "not-written"), "danger");
  }
}

/* What an entry is. */
function titleOf(entry) {
  const work = tasks?.picks.find(({ id }) => id === entry.fulfilment), title = work ? `${say(`did-${entry.kind}`)}: ${work.number}` : say(`did-${entry.kind}`);
  const text = entry.code ?? entry.what?.code;
  const known = text && find(tasks?.goods ?? [], text);
  return [title, known ? known[3] : text, entry.kind === "count" ? `× ${entry.quantity}` : ""].filter(Boolean).join(" · ");
}

const aboutOf = (entry) => [moment(entry.happened_at), entry.by_name].filter(Boolean).join(" · ");

/* -- what somebody does ------------------------------------------------------------------------------------------------------ */

/* A form with one field for a code: what was read is taken out of it at once, for the next. */
function onScan(form, field, act) {
  byId(form).addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId(field).value.trim();
    if (!text) return;
    byId(field).value = "";
    act(text);
  });
}

function listen() {
  addEventListener("hashchange", () => {
    announce("");
    byId("give-up").open = false;
    draw().then(() => byId("main").focus());
  });
  onScan("count-form", "code", (text) => {
    const quantity = whole(byId("pieces").value), adds = !byId("replace").checked;
    if (quantity === null) {
      byId("code").value = text;
      return announce(say("how-many"), "danger");
    }
    const known = find(tasks.goods, text);
    const said = say(known ? "counted" : "counted-unknown", { n: quantity, title: known ? known[3] : text });
    return put({ kind: "count", count: place().id, code: text, quantity, adds }, said).then((isWritten) => {
      if (!isWritten) byId("code").value = text;
      else if (byId("pieces").value !== "1") byId("pieces").value = "1";
      byId("code").focus();
    });
  });
  byId("begin-count-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const id = crypto.randomUUID(), note = byId("begin-count-note").value.trim();
    if (!(await put({ kind: "count-begin", count: id, note }))) return;
    byId("begin-count-note").value = "";
    byId("begin-count").open = false;
    location.hash = `#count/${id}`;
  });
  byId("close-count-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { id } = place();
    byId("close-count").open = false;
    if (!(await put({ kind: "count-close", count: id }))) return;
    location.hash = "#home";
    addEventListener("hashchange", () => announce(say("count-closed"), "success"), { once: true });
  });
  byId("take").addEventListener("click", () => put({ kind: "take", fulfilment: place().id }));
  onScan("pick-scan", "pick-code", (text) => {
    const { id } = place(), now = picked(tasks, tasks.picks.find((each) => each.id === id), items), isPacking = now.state === "picked";
    const line = lineOf(tasks, now.lines, text, isPacking ? "packed" : "picked");
    if (!line) return announce(say("not-in-order"), "danger");
    if (line[isPacking ? "packed" : "picked"] >= line.quantity) return announce(say("enough"), "danger");
    return put({ kind: isPacking ? "pack" : "pick", fulfilment: id, what: { code: text } }, line.title);
  });
  byId("pick-lines").addEventListener("click", ({ target }) => {
    const button = target.closest("[data-position]");
    if (button) put({ kind: "pick", fulfilment: place().id, what: { position: Number(button.dataset.position), quantity: Number(button.dataset.quantity) } });
  });
  byId("pack-all").addEventListener("click", () => put({ kind: "pack", fulfilment: place().id, what: {} }));
  byId("give-up-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const lines = [...byId("give-up-lines").querySelectorAll("input")].map((input) => ({ position: Number(input.name), quantity: Math.min(whole(input.value) ?? 0, Number(input.max)) })).filter(({ quantity }) => quantity);
    if (!lines.length) return announce(say("choose-pieces"), "danger");
    const fields = { kind: "reject", fulfilment: place().id, reason: byId("give-up-reason").value, note: byId("give-up-note").value.trim(), lines };
    if (!(await put(fields, say("given-up")))) return;
    byId("give-up").open = false;
    byId("give-up-note").value = "";
  });
  onScan("coming-form", "coming-code", (text) => scanComing(place().id, text));
  byId("coming-lines").addEventListener("change", ({ target }) => {
    const quantity = whole(target.value);
    if (quantity === null) return announce(say("how-many"), "danger");
    return setDraft(place().id, (draft) => (draft[target.dataset.key] = quantity));
  });
  byId("coming-all").addEventListener("click", () => {
    const task = tasks.coming.find((each) => each.id === place().id);
    setDraft(task.id, (draft) => task.lines.forEach((line) => (draft[keyOf(line)] = line[1])));
  });
  byId("coming-book").addEventListener("click", () => book(place().id));
  byId("view-list").addEventListener("click", async ({ target }) => {
    const { again, letGo } = target.closest("button")?.dataset ?? {};
    if (again) await queue.tryAgain(db, again);
    if (letGo) await queue.letGo(db, letGo);
    if (!again && !letGo) return;
    sender.told("queue");
    if (again) sender.wake();
  });
  byId("send-now").addEventListener("click", () => sender.wake());
  byId("export").addEventListener("click", download);
  byId("import").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) await bringIn(file);
    event.target.value = ""; // or the same file, chosen again, would be no change
  });
}

db = await queue.open(code);
sender = new Sender(db, code);
for (const what of ["state", "queue", "tasks"]) sender.addEventListener(what, draw);
listen();
if (location.hash === "#not-done") {
  history.replaceState(null, "", location.pathname);
  announce(say("not-done"), "danger");
}
await draw();
await storage.look(db);
await queue.write(db, ["meta"], (transaction) => queue.ask(transaction.objectStore("meta").delete("lost"))); // it was said
registered().then(() => keepWork(code)).then((isKept) => (root.dataset.kept = String(isKept))).catch(() => {});
sender.run();
