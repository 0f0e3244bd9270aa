/* The service worker of the till (scope /pos): pages come from the network while there is one; without, the till opens all the
   same, at its own address, from what `shell.js` has put into the cache. It never answers for the server's data. */

const PATIENCE_MS = 8_000;
const STORE = /^\/pos\/([a-z0-9-]+)(?:\/|$)/;
const WORK = /^\/pos\/work\/([^/]+)(?:\/|$)/;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event, address = new URL(request.url);
  if (address.origin !== location.origin) return;
  if (request.mode === "navigate") {
    const store = STORE.exec(address.pathname), work = WORK.exec(address.pathname);
    if (work) event.respondWith(page(request, [`/pos/work/${work[1]}/phone`]));
    else if (store && store[1] !== "work") event.respondWith(page(request, [`/pos/${store[1]}/kiosk`, `/pos/${store[1]}/offline`]));
  } else if (request.method === "GET" && address.pathname.startsWith("/static/")) {
    event.respondWith(file(request, address));
  }
});

/* A device is a till or a kiosk: one of the two is kept. Store work of a place is one page. */
async function page(request, addresses) {
  let shell;
  for (const address of addresses) shell ??= await caches.match(address, { ignoreVary: true });
  if (!shell) return fetch(request);
  if (request.method !== "GET") {
    try {
      return await fetch(request);
    } catch {
      return Response.redirect(addresses.at(-1) + (addresses.length === 1 ? "#not-done" : ""), 303); // store work says so
    }
  }
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.status >= 502 && answer.status <= 504 ? shell : answer;
  } catch {
    return shell;
  }
}

/* What has its hash in its address never changes; the rest is asked for first. */
async function file(request, address) {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept && address.searchParams.has("v")) return kept;
  try {
    const answer = await fetch(request, kept ? { signal: AbortSignal.timeout(PATIENCE_MS) } : {});
    return answer.ok || !kept ? answer : kept;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
