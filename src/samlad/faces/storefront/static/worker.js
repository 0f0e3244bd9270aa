/* The shop's service worker: a page that says so when there is no network, and files that never change from this device.
   VERSION and FILES stand before this, written by storefront/brand.py.

   It answers nothing but pages to look at and files: never what is somebody's own (cart, checkout, account), never the
   till or the admin, which are another program each. What it does not answer goes to the network as if it were not there. */
const CACHE = `shop-${VERSION}`;
const OFFLINE = "/offline";
const OTHERS = /^\/(pos|admin|api|cart|checkout|pay|order|orders|account|quote|preferences|confirm|consent|newsletter|live|o|sw\.js|language)(\/|$)/;
const MOST_FILES = 200;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([...FILES, new Request(OFFLINE, { credentials: "omit" })]);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("shop-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

function isForEver(url) {
  return url.pathname.startsWith("/media/") || ((url.pathname.startsWith("/static/") || url.pathname === "/theme.css") && url.searchParams.has("v"));
}

async function file(request) {
  const cache = await caches.open(CACHE);
  const held = await cache.match(request);
  if (held) return held;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request, answer.clone());
    const keys = await cache.keys();
    const spare = keys.filter((each) => new URL(each.url).pathname.startsWith("/media/"));
    if (keys.length > MOST_FILES && spare.length) await cache.delete(spare[0]);
  }
  return answer;
}

async function page(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(OFFLINE, { ignoreVary: true })) ?? Response.error();
  }
}

/* The page for no network is asked for without cookies, so its language is told by the pages that somebody reads. */
async function speak(language) {
  const cache = await caches.open(CACHE);
  const held = await cache.match(OFFLINE, { ignoreVary: true });
  if (held?.headers.get("content-language") === language) return;
  const answer = await fetch(OFFLINE, { credentials: "omit", headers: { "accept-language": language } });
  if (!answer.ok) return;
  await cache.delete(OFFLINE, { ignoreVary: true });
  await cache.put(OFFLINE, answer);
}

self.addEventListener("message", (event) => {
  if (typeof event.data?.language === "string") event.waitUntil(speak(event.data.language).catch(() => {}));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || OTHERS.test(url.pathname)) return;
  if (isForEver(url)) event.respondWith(file(request));
  else if (request.mode === "navigate") event.respondWith(page(request));
});
