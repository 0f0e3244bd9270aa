/* What is typed is shown beside it, a moment after one stops typing. Without this the button "Preview" does it. */
for (const form of document.querySelectorAll("form[data-previewed]")) {
  const button = form.querySelector("[data-preview-button]");
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => button && form.checkValidity() && form.requestSubmit(button), 700);
  });
}

/* A colour can be chosen as well as typed. */
for (const field of document.querySelectorAll("input[data-colour]")) {
  const chooser = document.createElement("input");
  chooser.type = "color";
  chooser.tabIndex = -1;
  chooser.setAttribute("aria-hidden", "true");
  chooser.className = "chooser";
  const shown = () => (chooser.value = /^#[0-9a-f]{6}$/i.test(field.value) ? field.value : field.placeholder);
  chooser.addEventListener("input", () => {
    field.value = chooser.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  field.addEventListener("input", shown);
  field.after(chooser);
  shown();
}
