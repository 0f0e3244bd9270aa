/* What the till shows. Texts come translated with the page; nothing here knows what a sale is. */

export const byId = (id) => document.getElementById(id);
export const root = document.querySelector("[data-till], [data-work]");
let words = JSON.parse(root.dataset.words), locale = document.documentElement.lang;

/* Another language from now on: its texts by name. */
export function speak(language, texts) {
  [locale, words] = [language, texts];
  document.documentElement.lang = language;
}

export const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

let currency = "EUR";
export const useCurrency = (code) => {
  currency = code;
};
const format = () => new Intl.NumberFormat(locale, { style: "currency", currency });
const digits = () => format().resolvedOptions().maximumFractionDigits;
export const money = (minor) => format().format(minor / 10 ** digits());
/* Days in English are written as in the shop's country, as pages do: that of the browser's own English is the United States. */
const dates = () => (locale.startsWith("en") && root.dataset.dates) || locale;
export const moment = (text) => new Intl.DateTimeFormat(dates(), { dateStyle: "short", timeStyle: "short" }).format(new Date(text));
export const clock = (text) => new Intl.DateTimeFormat(dates(), { timeStyle: "short" }).format(new Date(text));
export const percent = (rate) => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 2 }).format(rate / 10_000);
export const exponent = () => digits();
export const inField = (minor) => (minor / 10 ** digits()).toFixed(digits());

/* Minor units of what was typed, or null. */
export function typed(text) {
  const plain = text.replace(/[\s\u00a0\u202f']/g, "").replace(",", ".");
  return /^\d{1,9}(\.\d{0,3})?$/.test(plain) ? Math.round(Number(plain) * 10 ** digits()) : null;
}

/* How much of something there is, as `catalog.measures` writes it: pieces, or 0,770 kg. */
const UNITS = { weight: "kg", length: "m", volume: "l" };
export const unitOf = (sold_by) => UNITS[sold_by] ?? "";
export const perText = (sold_by) => (unitOf(sold_by) ? `/${unitOf(sold_by)}` : "");
const thousandths = () => new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
export const amountOf = (quantity, sold_by) => (unitOf(sold_by) ? `${thousandths().format(quantity / 1_000)} ${unitOf(sold_by)}` : String(quantity));

/* Thousandths of what was typed in kilograms, metres or litres, or null. */
export function typedMeasure(text) {
  const plain = text.replace(/[\s\u00a0\u202f]/g, "").replace(",", ".");
  return /^\d{1,6}(\.\d{0,3})?$/.test(plain) ? Math.round(Number(plain) * 1_000) : null;
}

/* A copy of a template with its slots filled: by name, text or a function of the element. */
export function fill(template, slots) {
  const copy = byId(template).content.cloneNode(true);
  for (const [name, value] of Object.entries(slots)) {
    for (const place of copy.querySelectorAll(`[data-slot="${name}"]`)) {
      if (typeof value === "function") value(place);
      else if (value === null || value === "") place.remove();
      else place.textContent = value;
    }
  }
  return copy;
}

export const show = (id, is) => {
  byId(id).hidden = !is;
};

let quiet = 0;
/* A line above the ticket; it goes by itself unless it is serious. */
export function announce(text, kind = "") {
  clearTimeout(quiet);
  byId("said").replaceChildren(...(text ? [fill("notice", { text, box: (box) => box.classList.add(...[kind].filter(Boolean)) })] : []));
  if (text && kind !== "danger") quiet = setTimeout(() => announce(""), 6_000);
}

export const NOTES = [5, 10, 20, 50, 100, 200, 500, 1000];

/* What people hand over for an amount: exactly that, and the next notes. */
export function handed(due) {
  const unit = 10 ** digits(), found = [due];
  for (const note of NOTES) {
    const amount = Math.ceil(due / (note * unit)) * note * unit;
    if (!found.includes(amount)) found.push(amount);
  }
  return found.sort((a, b) => a - b).slice(0, 5);
}
