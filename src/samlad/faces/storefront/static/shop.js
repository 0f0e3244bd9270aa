/* The shop beside samlad.js: suggestions by keyboard, the time that goods are put aside, and the cart as others change it. */

/* The search field is a combobox (ARIA APG): the focus stays in it, arrow keys choose among what is suggested, Enter opens
   that or searches, Escape puts the list away. Without this script it is a search field. */
const field = document.querySelector(".suggest input[type=search]");
const list = document.getElementById("suggestions");
function suggested() {
  return [...list.querySelectorAll("[role=option]")];
}
function choose(option) {
  for (const each of suggested()) each.setAttribute("aria-selected", String(each === option));
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}
function unfold() {
  field.setAttribute("aria-expanded", String(suggested().length > 0));
  if (suggested().length) field.setAttribute("aria-controls", "suggestion-list");
  else field.removeAttribute("aria-controls");
  choose(null);
}
if (field && list) {
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-haspopup", "listbox"]]) {
    field.setAttribute(name, value);
  }
  list.addEventListener("htmx:afterSwap", unfold);
  field.addEventListener("keydown", (event) => {
    const options = suggested();
    const at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "Escape" && options.length) {
      event.preventDefault();
      list.replaceChildren();
      unfold();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
      event.preventDefault();
      const next = event.key === "ArrowDown" ? at + 1 : at < 0 ? options.length - 1 : at - 1;
      choose(options[next] ?? null);
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      options[at].click();
    }
  });
}

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
   The address says from where in the log: at first where the page was rendered, later what was heard last. Carts that become
   one or two again are listened to anew: the address leads to another one then. */
const cartLive = document.querySelector("[data-cart-live]");
if (cartLive) {
  let address = cartLive.dataset.cartLive;
  let source = null;
  let isWaiting = false;
  const heard = (event) => {
    address = address.replace(/after=[^&]*/, `after=${event.lastEventId}`);
    if (/^cart\.(un)?merged$/.test(JSON.parse(event.data).type)) {
      source.close();
      listen();
    }
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
  if (!event.persisted) return;
  // A list stays where it was left; only the number in the cart may be another.
  if (document.querySelector(".listing, .sheet")) document.body.dispatchEvent(new Event("cart-moved"));
  else location.reload();
});

/* Pictures of a product: a thumbnail shows itself large, the large one opens closely; arrow keys turn, + and - zoom.
   Without this script each is a link to its picture. */
function pictures() {
  const seen = new Map();
  for (const link of document.querySelectorAll(".pictures [data-gallery]")) {
    if (!seen.has(link.getAttribute("href"))) seen.set(link.getAttribute("href"), link.querySelector("img")?.alt ?? "");
  }
  return [...seen];
}
function look(closely, step = 0, start = null) {
  const all = pictures();
  const image = closely.querySelector("img");
  const at = all.findIndex(([source]) => source === (start ?? image.getAttribute("src")));
  const [source, alt] = all[(Math.max(at, 0) + step + all.length) % all.length];
  image.src = source;
  image.alt = alt;
  closely.querySelector("[data-place]").textContent = `${all.findIndex(([each]) => each === source) + 1} / ${all.length}`;
  for (const button of closely.querySelectorAll("[data-turn]")) button.hidden = all.length < 2;
  zoom(closely, false);
}
function zoom(closely, wanted) {
  const stage = closely.querySelector(".stage");
  const isLarge = wanted ?? !stage.classList.contains("large");
  stage.classList.toggle("large", isLarge);
  closely.querySelector("[data-zoom]").setAttribute("aria-pressed", String(isLarge));
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-gallery]");
  const closely = document.getElementById("closely");
  if (!closely || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link) {
    event.preventDefault();
    if (link.dataset.gallery === "main") {
      look(closely, 0, link.getAttribute("href"));
      closely.showModal();
      closely.querySelector(".stage").focus();
    } else {
      const main = document.querySelector('[data-gallery="main"]');
      const image = main.querySelector("img");
      const source = link.getAttribute("href");
      main.setAttribute("href", source);
      image.setAttribute("src", source);
      image.alt = link.querySelector("img").alt;
      for (const each of document.querySelectorAll(".pictures li a")) each.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
    }
  } else if (event.target.closest("#closely [data-turn]")) {
    look(closely, Number(event.target.closest("[data-turn]").dataset.turn));
  } else if (event.target.closest("#closely [data-zoom], #closely img")) {
    zoom(closely);
  }
});
document.addEventListener("keydown", (event) => {
  const closely = document.getElementById("closely");
  if (!closely?.open) return;
  const isLarge = closely.querySelector(".stage").classList.contains("large");
  const rtl = document.dir === "rtl" ? -1 : 1;
  if (event.key === "ArrowLeft" && !isLarge) look(closely, -rtl);
  else if (event.key === "ArrowRight" && !isLarge) look(closely, rtl);
  else if (event.key === "+" || event.key === "=") zoom(closely, true);
  else if (event.key === "-") zoom(closely, false);
});

/* Of tabs that do not all fit, the one that one is at is in sight. */
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

/* On a phone the button that buys stays at hand: a bar shows while the form is out of sight. */
const watched = new IntersectionObserver(([{ isIntersecting }]) => {
  const bar = document.querySelector("[data-buy-bar]");
  if (bar) bar.hidden = isIntersecting;
});
function keepAtHand() {
  watched.disconnect();
  const form = document.querySelector("form.buy");
  if (form && document.querySelector("[data-buy-bar]")) watched.observe(form);
}
keepAtHand();
document.addEventListener("htmx:afterSettle", keepAtHand);

/* Where somebody is, only when they press the button, to a hundredth of a degree (about a kilometre). */
function offerToLocate() {
  if (!navigator.geolocation) return;
  for (const button of document.querySelectorAll("[data-locate]")) button.hidden = false;
}
offerToLocate();
document.addEventListener("htmx:afterSettle", offerToLocate);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-locate]");
  if (!button) return;
  button.disabled = true;
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      const form = button.form;
      for (const [name, value] of [["lat", coords.latitude], ["lon", coords.longitude]]) {
        const field = document.createElement("input");
        field.type = "hidden";
        field.name = name;
        field.value = value.toFixed(2);
        form.append(field);
      }
      form.elements.postal_code.value = "";
      form.requestSubmit();
    },
    () => {
      button.disabled = false;
      button.insertAdjacentHTML("afterend", '<p class="small" role="alert"></p>');
      button.nextElementSibling.textContent = button.dataset.refused;
      button.hidden = true;
    },
    { maximumAge: 600000, timeout: 10000 },
  );
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

/* What is typed into the checkout while the server looks something up stays: its answer knows only what was there before. */
const typedIn = (form) => new Map([...form.elements].filter((each) => each.id && each.name && /^(text|email|tel|search|textarea)$/.test(each.type)).map((each) => [each.id, each.value]));
let asked = new Map();
let since = new Map();
const isCheckout = (event) => event.detail.target?.id === "checkout";
document.addEventListener("htmx:beforeRequest", (event) => {
  if (isCheckout(event)) asked = typedIn(event.detail.target);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (isCheckout(event)) since = new Map([...typedIn(event.detail.target)].filter(([id, text]) => asked.has(id) && asked.get(id) !== text));
});
document.addEventListener("htmx:afterSettle", () => {
  for (const [id, text] of since) {
    const field = document.getElementById(id);
    if (field) field.value = text;
  }
  since = new Map();
});

if ("serviceWorker" in navigator) {
  addEventListener("load", () => navigator.serviceWorker.register("/sw.js").catch(() => {}));
  navigator.serviceWorker.ready.then(({ active }) => active?.postMessage({ language: document.documentElement.lang }));
}
