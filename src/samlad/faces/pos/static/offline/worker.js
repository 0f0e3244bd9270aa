/* The service worker of the till (scope /pos): pages come from the network while there is one; without, the till opens all the
   same, at its own address, from what `shell.js` has put into the cache. It never answers for the server's data. */

const PATIENCE_MS = 8_000;
const STORE = /^\/pos\/([a-z0-9-]+)(?:\/|$)/;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event, address = new URL(request.url);
  if (address.origin !== location.origin) return;
  if (request.mode === "navigate") {
    const store = STORE.exec(address.pathname);
    if (store && store[1] !== "work") event.respondWith(page(request, store[1]));
  } else if (request.method === "GET" && address.pathname.startsWith("/static/")) {
    event.respondWith(file(request, address));
  }
});

/* A device is a till or a kiosk: one of the two is kept. */
const shellOf = async (code) => (await caches.match(`/pos/${code}/kiosk`, { ignoreVary: true })) ?? caches.match(`/pos/${code}/offline`, { ignoreVary: true });

async function page(request, code) {
  const shell = await shellOf(code);
  if (!shell) return fetch(request);
  if (request.method !== "GET") {
    try {
      return await fetch(request);
    } catch {
      return Response.redirect(`/pos/${code}/offline`, 303);
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
