/* The shop beside samlad.js: suggestions by keyboard, the time that goods are put aside, and the cart as others change it. */

/* Arrow keys go from the search field through the suggestions and back; Escape puts them away. */
document.addEventListener("keydown", (event) => {
  const box = event.target.closest(".suggest");
  if (!box) return;
  const stops = [box.querySelector("input[type=search]"), ...box.querySelectorAll(".suggestions a")];
  const at = stops.indexOf(document.activeElement);
  if (event.key === "Escape") {
    box.querySelector(".suggestions").replaceChildren();
    stops[0].focus();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && stops.length > 1 && at >= 0) {
    event.preventDefault();
    stops[(at + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length].focus();
  }
});

/* data-countdown: seconds that are left when the page, or a piece of it, is sent. */
let timers = [];
function count() {
  timers.forEach(clearInterval);
  timers = [];
  for (const place of document.querySelectorAll("[data-countdown]")) {
    const shown = place.querySelector("output");
    if (!shown) continue;
    place.dataset.until ??= Date.now() + Number(place.dataset.countdown) * 1000;
    const tick = () => {
      const left = Math.max(0, Math.round((place.dataset.until - Date.now()) / 1000));
      shown.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      if (left === 0) {
        clearInterval(timer);
        place.querySelector("span").textContent = place.dataset.over;
      }
    };
    const timer = setInterval(tick, 1000);
    timers.push(timer);
    tick();
  }
}
count();
document.addEventListener("htmx:afterSettle", count);

/* The cart changes when somebody else in it changes it: another window or device, or the store. A page that nobody
   looks at does not listen, and asks once when it is looked at again. A field that is being typed in is left alone.
   The address says from where in the log: at first where the page was rendered, later what was heard last. */
const cartLive = document.querySelector("[data-cart-live]");
if (cartLive) {
  let address = cartLive.dataset.cartLive;
  let source = null;
  let isWaiting = false;
  const heard = (event) => {
    address = address.replace(/after=[^&]*/, `after=${event.lastEventId}`);
    moved();
  };
  const moved = () => {
    isWaiting = Boolean(document.activeElement?.closest("#basket input"));
    if (!isWaiting) document.body.dispatchEvent(new Event("cart-moved"));
  };
  const listen = () => {
    source = new EventSource(address);
    source.addEventListener("cart", heard);
    source.addEventListener("reset", heard);
  };
  document.addEventListener("focusout", () => isWaiting && setTimeout(moved));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source) {
      listen();
      moved();
    }
  });
  if (!document.hidden) listen();
}

/* One press places one order: the button says that it works, and a page that comes back from the cache is fresh. */
document.addEventListener("submit", (event) => {
  if (event.target.id !== "checkout") return;
  const button = event.target.querySelector("button[type=submit]");
  setTimeout(() => (button.disabled = true));
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

/* What this browser looked at last is known to this browser only; a block that shows it asks for those by name. */
const SEEN = "seen";
const seen = () => {
  try {
    return JSON.parse(localStorage.getItem(SEEN) ?? "[]").filter((each) => typeof each === "string");
  } catch {
    return [];
  }
};
const looked = /^\/p\/([^/]+)$/.exec(location.pathname);
if (looked && document.querySelector("main .product-page, main form[action='/cart']")) {
  const handle = decodeURIComponent(looked[1]);
  try {
    localStorage.setItem(SEEN, JSON.stringify([handle, ...seen().filter((each) => each !== handle)].slice(0, 24)));
  } catch {
    /* a browser that keeps nothing remembers nothing */
  }
}
for (const block of document.querySelectorAll("[data-last-seen]")) {
  const handles = seen();
  if (!handles.length) continue;
  const query = new URLSearchParams({ handles: handles.join(","), count: block.dataset.lastSeen });
  fetch(`/last-seen?${query}`, { headers: { "hx-request": "true" } })
    .then((answer) => (answer.ok ? answer.text() : ""))
    .then((html) => {
      if (!html.trim()) return;
      block.querySelector("[data-last-seen-shelf]").innerHTML = html;
      block.hidden = false;
    })
    .catch(() => {});
}

if ("serviceWorker" in navigator) {
  addEventListener("load", () => navigator.serviceWorker.register("/sw.js").catch(() => {}));
}
