/* A search field whose suggestions are buttons of its form becomes a combobox (ARIA APG): the focus stays in it, arrow keys choose
   among what is suggested, Enter takes that, Escape puts the list away. Without this file they are buttons behind a field. */

const options = (list) => [...list.querySelectorAll("[role=option]")];

function choose(field, list, option) {
  for (const each of options(list)) each.ariaSelected = String(each === option);
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

function unfold(field, list, open) {
  list.hidden = !open;
  field.ariaExpanded = String(open && options(list).length > 0);
  choose(field, list, null);
}

/* What was found is a list of buttons: from now on the field reaches them, not the tab key. */
function fit(field, list) {
  const box = list.querySelector("ul");
  if (box) {
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", field.labels[0]?.textContent.trim() ?? "");
    box.id = `${list.id}-list`;
    field.setAttribute("aria-controls", box.id);
    for (const item of box.children) item.setAttribute("role", "none");
    [...box.querySelectorAll("button")].forEach((button, at) => {
      button.setAttribute("role", "option");
      button.tabIndex = -1;
      button.id = `${list.id}-${at}`;
    });
  } else field.removeAttribute("aria-controls");
  unfold(field, list, true);
}

function combobox(field, list) {
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-haspopup", "listbox"]]) field.setAttribute(name, value);
  list.addEventListener("htmx:afterSwap", () => fit(field, list));
  field.addEventListener("keydown", (event) => {
    const all = options(list);
    const at = list.hidden ? -1 : all.findIndex((each) => each.ariaSelected === "true");
    if (event.key === "Escape" && all.length && !list.hidden) {
      event.preventDefault();
      unfold(field, list, false);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
      event.preventDefault();
      unfold(field, list, true);
      const next = event.key === "ArrowDown" ? at + 1 : at < 0 ? all.length - 1 : at - 1;
      choose(field, list, all[next] ?? null); // past the last one is the field itself again
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      all[at].click();
    }
  });
  fit(field, list);
}

for (const field of document.querySelectorAll("[data-suggests]")) combobox(field, document.getElementById(field.dataset.suggests));
