/* The shop beside samlad.js: suggestions by keyboard, and the time that a checkout holds its goods. */

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

/* data-countdown: seconds that are left when the page is sent. */
for (const place of document.querySelectorAll("[data-countdown]")) {
  const until = Date.now() + Number(place.dataset.countdown) * 1000;
  const shown = place.querySelector("output");
  const tick = () => {
    const left = Math.max(0, Math.round((until - Date.now()) / 1000));
    shown.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left === 0) {
      clearInterval(timer);
      place.querySelector("span").textContent = place.dataset.over;
    }
  };
  const timer = setInterval(tick, 1000);
  tick();
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
