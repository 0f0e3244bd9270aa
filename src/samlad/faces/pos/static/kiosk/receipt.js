/* The receipt of the sale that was just made: on the screen and on paper at once, as a code and by mail once the sale was sent. */

import * as checkCode from "../offline/check_code.js";
import { numberOf } from "../offline/entry.js";
import * as journal from "../offline/journal.js";
import { serialsOf } from "../offline/lots.js";
import { amountOf, byId, fill, moment, money, percent, perText, root, say, show as reveal, useCurrency } from "../offline/screen.js";
import { taxes } from "../offline/reckon.js";

let shown = null;

export function show(db, entry, store) {
  shown = { id: entry.id, isThere: false };
  useCurrency(entry.currency);
  const row = (text, amount, css = "") => fill("receipt-row", { text, amount: money(amount), row: (place) => css && place.classList.add(css) });
  const many = (line) => (perText(line.sold_by) || line.quantity > 1 ? ` (${amountOf(line.quantity, line.sold_by)} × ${money(line.unit_price)}${perText(line.sold_by)})` : "");
  byId("receipt-store").textContent = store.name;
  byId("receipt-place").textContent = store.lines.join(", ");
  byId("receipt-head").textContent = `${moment(entry.happened_at)} · ${numberOf(entry)}`;
  byId("receipt-foot").textContent = store.receipt_footer || say("thanks");
  byId("receipt-lines").replaceChildren(
    ...entry.lines.map((line) => row([line.title, line.options].filter(Boolean).join(", ") + many(line) + line.reductions.map(({ name, amount }) => ` · ${name} −${money(amount)}`).join("") + (serialsOf(line) ? ` · ${say("serial", { codes: serialsOf(line) })}` : ""), line.total)),
  );
  byId("receipt-sums").replaceChildren(
    row(say("total"), entry.total, "total"),
    ...taxes(entry.lines).map(([rate, net, tax]) => row(say("tax-on", { rate: percent(rate), net: money(net) }), tax)),
    ...entry.tenders.map((each) => row(say(`by-${each.kind}`), each.amount)),
  );
  byId("done").dataset.sale = entry.id;
  byId("receipt-waits").textContent = say("receipt-waits", { number: numberOf(entry) });
  byId("mail-said").textContent = "";
  byId("mail-address").value = "";
  checkCode.draw(db, entry, byId("receipt-code"), root.dataset.receipts);
  reveal("own-receipt", false);
  reveal("mail", false);
}

/* Once the sale was sent: the code for a phone, and the field for an address. */
export async function fetched(db, base) {
  const wanted = shown;
  if (!wanted || wanted.isThere || !(await journal.read(db, wanted.id))?.verdict?.order) return;
  const answer = await fetch(`${base}/receipt/${wanted.id}`, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok || shown !== wanted) return;
  const { number, picture, can_mail } = await answer.json();
  wanted.isThere = true;
  byId("own-code").replaceChildren(document.importNode(new DOMParser().parseFromString(picture, "text/html").querySelector("svg"), true));
  byId("receipt-waits").textContent = say("receipt-number", { number });
  reveal("own-receipt", true);
  reveal("mail", can_mail);
}

export function listen(post) {
  byId("mail").addEventListener("submit", async (event) => {
    event.preventDefault();
    const address = byId("mail-address").value.trim();
    if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(address)) return void (byId("mail-said").textContent = say("mail-wrong"));
    byId("mail-said").textContent = say((await post(`receipt/${shown.id}/mail`, { email: address })) ? "mail-sent" : "mail-not");
  });
}

/* Nothing of it is on the screen any more. */
export function forget() {
  shown = null;
  delete byId("receipt-code").dataset.sale; // what is being drawn comes too late
  for (const id of ["receipt-head", "receipt-lines", "receipt-sums", "own-code", "mail-said", "receipt-waits", "receipt-code"]) byId(id).replaceChildren();
  byId("mail-address").value = "";
}
