/* An answer does not cross what came while nothing of it was written yet: that has been read. */
document.addEventListener("htmx:afterSettle", () => {
  const thread = document.getElementById("thread");
  const seen = document.querySelector("[data-seen]");
  if (thread && seen && seen.form.elements.body.value.trim() === "") seen.value = thread.dataset.words;
});
