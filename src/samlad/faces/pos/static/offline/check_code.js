/* The code on a receipt by which anybody can check it, made without network: a short text that this till signs with its own key, as a
   QR code. What the text is, `samlad.tills.signed` says. */

import { meta } from "./database.js";
import { numberOf } from "./entry.js";
import { known, sign, textOf } from "./key.js";
import { generate, correction } from "/static/vendor/lean-qr.js";

const SVG = "http://www.w3.org/2000/svg", QUIET = 4;

/* The signed text of a sale, or null: of training, of another till's journal, or while the server does not know the key. */
export async function signedText(db, entry) {
  const [key, device] = await Promise.all([known(db), meta(db, "device")]);
  if (!key || entry.kind || entry.training || entry.till !== device?.id) return null;
  const content = [key.kid, numberOf(entry), Math.floor(Date.parse(entry.happened_at) / 1_000), entry.total + (entry.rounding ?? 0), entry.currency];
  const head = `T1.${textOf(new TextEncoder().encode(JSON.stringify(content)))}`;
  return `${head}.${textOf(await sign(key, head))}`;
}

/* Draw the code of a sale into its place; the place is hidden while there is none. A receipt without its code is a receipt, too. */
export async function draw(db, entry, place, address) {
  place.hidden = true;
  place.replaceChildren();
  place.dataset.sale = entry.id;
  const text = await signedText(db, entry).catch((error) => console.warn("the receipt is not signed", error));
  if (!text || place.dataset.sale !== entry.id) return;
  place.replaceChildren(picture(address + text));
  place.dataset.code = text;
  place.hidden = false;
}

/* Black on white also on a dark page, as scanners need it. */
function picture(text) {
  const code = generate(text, { minCorrectionLevel: correction.M, maxCorrectionLevel: correction.M }), size = code.size + 2 * QUIET;
  const rows = Array.from({ length: code.size }, (_, y) => Array.from({ length: code.size }, (_, x) => (code.get(x, y) ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")).join(""));
  const made = (name, fields) => {
    const element = document.createElementNS(SVG, name);
    for (const [field, value] of Object.entries(fields)) element.setAttribute(field, value);
    return element;
  };
  const svg = made("svg", { viewBox: `0 0 ${size} ${size}`, "shape-rendering": "crispEdges" });
  svg.append(made("rect", { width: size, height: size, fill: "#fff" }), made("path", { d: rows.join(""), fill: "#000" }));
  return svg;
}
