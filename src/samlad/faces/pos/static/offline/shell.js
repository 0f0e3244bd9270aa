/* Puts the till's page for when there is no network, with everything that it needs, into the cache; whole or not at all. */

const FILE = /\/static\/[^"'#\s<>&]+/g;

export async function registered() {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("/pos/sw.js", { scope: "/pos" });
}

/* A device is a till or a kiosk: the page of the other is let go. */
export async function keepShell(code, name = "offline") {
  const isKept = await keepPage(`/pos/${code}/${name}`, prefixOf(code, name), `data-till="${code}"`), other = prefixOf(code, name === "kiosk" ? "offline" : "kiosk");
  if (isKept) for (const old of await caches.keys()) if (old.startsWith(other)) await caches.delete(old);
  keepBeside(prefixOf(code, name)).catch(() => {}); // nobody waits for it
  return isKept;
}

const prefixOf = (code, page) => `${page === "kiosk" ? "kiosk" : "till"}:${code}:`;

/* Store work of a place: whatever else this device is. */
export async function keepWork(code) {
  const isKept = await keepPage(...workOf(code));
  keepBeside(`work:${code}:`).catch(() => {});
  return isKept;
}

const workOf = (code) => [`/pos/work/${code}/phone`, `work:${code}:`, `data-work="${code}"`];

/* The other pages that this device keeps are renewed with this one: their scripts have the same addresses, and without network the one
   page would else get those of another version out of the cache of the other. */
async function keepBeside(own) {
  const others = new Map((await caches.keys()).map((name) => /^(till|kiosk|work):([^:]+):/.exec(name)).filter((found) => found && found[0] !== own).map((found) => [found[0], found]));
  for (const [prefix, kind, code] of others.values()) {
    const page = kind === "work" ? workOf(code) : [`/pos/${code}/${kind === "kiosk" ? "kiosk" : "offline"}`, prefix, `data-till="${code}"`];
    await keepPage(...page).catch(() => false);
  }
}

/* The page at an address, if it is the one that has this mark, and nobody's sign-in. */
async function keepPage(address, prefix, mark) {
  const answer = await fetch(address, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return false;
  const html = await answer.clone().text();
  if (!html.includes(mark)) return false;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(html));
  const version = Array.from(new Uint8Array(digest).slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const name = prefix + version;
  if (await caches.has(name)) {
    if (await caches.match(address, { cacheName: name, ignoreVary: true })) return true;
    await caches.delete(name); // broken off
  }
  const cache = await caches.open(name);
  await cache.addAll([...new Set(html.match(FILE))]);
  await cache.put(address, answer); // last: with it the cache is whole
  for (const old of await caches.keys()) if (old.startsWith(prefix) && old !== name) await caches.delete(old);
  return true;
}

export const hasShell = async (code) => Boolean(await caches.match(`/pos/${code}/offline`, { ignoreVary: true }));
