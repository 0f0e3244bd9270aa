/* The key that this till signs receipts with. Its private half is made here and cannot be taken out of the browser; the server knows the
   public one (`samlad.tills.keys`) before anything is signed. When the database is thrown away the key is gone with it: then there is
   another, and what the old one has signed stays good. */

import { ask, meta, write } from "./database.js";

const CURVE = { name: "ECDSA", namedCurve: "P-256" }, DIGEST = { name: "ECDSA", hash: "SHA-256" };
const DAY_MS = 86_400_000;
let asked = 0;

export const textOf = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/* The till's key; made by whichever window comes first. Null where the browser has no WebCrypto: on a page without TLS. */
async function own(db) {
  const known = await meta(db, "key");
  if (known || !globalThis.crypto?.subtle) return known ?? null;
  const pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
  const fresh = { pair, public: textOf(await crypto.subtle.exportKey("raw", pair.publicKey)), kid: null };
  return write(db, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta"), there = await ask(store.get("key"));
    if (there) return there;
    await ask(store.put(fresh, "key"));
    return fresh;
  });
}

/* Tell the server the public half: once a page, and once a day, so that a till notices that its key counts no more.
   `name(public)` asks, and answers {kid, replaced_at, revoked_at} or null. */
export async function registered(db, name, now = Date.now(), isAgain = false) {
  if (now - asked < DAY_MS) return;
  const key = await own(db);
  if (!key) return;
  const said = await name(key.public);
  asked = now;
  if (!said) return;
  const isOver = Boolean(said.replaced_at || said.revoked_at);
  await write(db, ["meta"], async (transaction) => {
    const store = transaction.objectStore("meta"), there = await ask(store.get("key"));
    if (there?.public !== key.public) return; // another window was here
    await ask(isOver ? store.delete("key") : store.put({ ...there, kid: said.kid }, "key"));
  });
  if (!isOver) return;
  asked = 0; // another, now
  if (!isAgain) await registered(db, name, now, true);
}

/* The key if the server knows it, else null. */
export async function known(db) {
  const key = await meta(db, "key");
  return key?.kid ? key : null;
}

/* The signature of a text, 64 bytes. */
export const sign = (key, text) => crypto.subtle.sign(DIGEST, key.pair.privateKey, new TextEncoder().encode(text));

/* Whether a public key (65 bytes) has signed a text; false, too, of what is no key. */
export const verify = (key, signature, text) =>
  crypto.subtle
    .importKey("raw", key, CURVE, false, ["verify"])
    .then((made) => crypto.subtle.verify(DIGEST, made, signature, new TextEncoder().encode(text)))
    .catch(() => false);
