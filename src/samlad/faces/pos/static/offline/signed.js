/* What another till has signed is checked here: with the public keys of the store's tills, which came with the day (`samlad.tills.day`). */

import { verify } from "./key.js";

const CODE = /T1\.[A-Za-z0-9_-]{20,600}\.[A-Za-z0-9_-]{86}/, OF_SHOP = /S1\.([A-Za-z0-9_-]{20,600})\.[A-Za-z0-9_-]{86}/;
const [KID, TILL, PUBLIC, REPLACED, REVOKED] = [0, 1, 2, 3, 4];

const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const bodyOf = (text) => {
  try {
    const said = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(text)));
    return Array.isArray(said) ? said : [];
  } catch {
    return [];
  }
};

/* What a scanned text says that one of the store's tills has signed: {token, number, at, total, currency}; null: it is no such text. {why}:
   it is none of ours (`forged`), its key is not known here (`key`), was taken back (`revoked`) or replaced before (`replaced`), or the
   browser cannot check (`tls`). */
export async function read(text, keys) {
  const [token] = CODE.exec(text) ?? [];
  if (!token) return null;
  const [, body, signature] = token.split("."), [kid, number, moment, total, currency] = bodyOf(body);
  if (![kid, number, currency].every((each) => typeof each === "string") || ![moment, total].every(Number.isSafeInteger)) return { why: "forged" };
  const key = keys.find((each) => each[KID] === kid);
  if (!key) return { why: "key", number };
  if (!globalThis.crypto?.subtle) return { why: "tls", number };
  if (!number.startsWith(`${key[TILL]}-`) || !(await verify(bytesOf(key[PUBLIC]), bytesOf(signature), token.slice(0, token.lastIndexOf("."))))) return { why: "forged" };
  if (key[REVOKED] !== null) return { why: "revoked", number };
  if (key[REPLACED] !== null && moment > key[REPLACED]) return { why: "replaced", number };
  return { token, number, at: new Date(moment * 1_000).toISOString(), total, currency };
}

/* The number in a code that the shop itself has signed. It is only a number: what the till knows of it is in the day. */
export const numberOfShop = (text) => {
  const number = bodyOf(OF_SHOP.exec(text)?.[1] ?? "")[2];
  return typeof number === "string" ? number : null;
};
