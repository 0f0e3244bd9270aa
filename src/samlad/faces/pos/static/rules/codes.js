/* Codes of promotions offline. The till has no list of codes: it has their SHA-256 with the salt of this set of rules, and
   looks up what somebody types. */

/* A code as it is kept: in capitals, without blanks and hyphens (`samlad.promotions.service.normal`). */
export const normal = (text) => text.toUpperCase().replaceAll(/[ \-_]/g, "");

/* The key of a code among rules.codes; needs a secure context, as a service worker does. */
export async function codeKey(text, salt) {
  const bytes = new TextEncoder().encode(`${salt}${normal(text)}`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* The promotion that a typed code gives, or why none: {promotion} or {reason}. unknown: there is none; offline: it may be
   one of those that can be used a few times only, which only the server can count. */
export async function redeem(text, rules) {
  const key = await codeKey(text, rules.codes.salt);
  const promotion = rules.codes.promotions[key];
  if (promotion !== undefined) return { code: normal(text), promotion };
  return { code: normal(text), reason: rules.codes.has_others ? "offline" : "unknown" };
}
