/* A screen that faces customers: it is asked anew when something happens, and goes on listening to what it shows then. */

const place = () => document.getElementById("screen");
const PAIRING_MS = 3000;
const AGAIN_MS = 5000;
let source = null;
let heard = "";
let timer = 0;
let asking = false;
let missed = false;

async function ask() {
  if (asking) {
    missed = true;
    return;
  }
  asking = true;
  clearTimeout(timer);
  try {
    const answer = await fetch("/screen/now", { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const isPaired = place().dataset.mode !== "pairing";
    const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("screen");
    if (isPaired !== (made.dataset.mode !== "pairing")) return location.reload(); // another look
    place().replaceWith(made);
    listen();
  } catch {
    timer = setTimeout(ask, AGAIN_MS);
  } finally {
    asking = false;
    if (missed) {
      missed = false;
      ask();
    }
  }
}

/* The address says what is listened to, and since when; only what it listens to makes a new connection. */
function listen() {
  const { live, mode, seconds } = place().dataset;
  if (mode === "pairing") timer = setTimeout(ask, PAIRING_MS);
  else if (seconds) timer = setTimeout(ask, Number(seconds) * 1000 + 500);
  const topics = (live ?? "").replace(/&after=[^&]*/, "");
  if (topics === heard) return;
  heard = topics;
  source?.close();
  source = null;
  if (!live) return;
  source = new EventSource(live);
  for (const name of ["screen", "screen_cart", "reset"]) source.addEventListener(name, ask);
  source.addEventListener("error", () => {
    if (source?.readyState !== EventSource.CLOSED) return;
    heard = "";
    timer = setTimeout(ask, AGAIN_MS);
  });
}

listen();
