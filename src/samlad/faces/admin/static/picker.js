/* Pickers that search while one types: Enter takes the first that was found, and sends no form. */
document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (event.key !== "Enter" || !field.matches?.("[data-pick-search]")) return;
  event.preventDefault();
  take(field);
});

document.addEventListener("htmx:afterSwap", (event) => {
  const field = event.target.parentElement?.querySelector("[data-pick-search][data-wanted]");
  if (field) take(field);
});

/* What was found for another text is not taken: the answer to this one is waited for. */
function take(field) {
  const found = document.getElementById(field.getAttribute("aria-controls"));
  const box = found?.querySelector("input[data-found]:not(:checked)");
  const isFresh = found?.querySelector("[data-typed]")?.dataset.typed === field.value.trim();
  if (!isFresh) {
    field.dataset.wanted = "yes";
    return;
  }
  delete field.dataset.wanted;
  if (!box) return;
  box.checked = true;
  field.value = "";
  box.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
