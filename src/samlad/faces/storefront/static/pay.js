/* The card fields of Stripe, in its own frame: a card number never comes to us. */

const form = document.querySelector("#pay");
const said = document.querySelector("#pay-said");
const fields = document.querySelector("#pay-fields");
const button = form.querySelector("button");

if (typeof Stripe === "undefined") {
  said.textContent = form.dataset.gone;
  fields.removeAttribute("aria-busy");
  button.disabled = true;
} else {
  const stripe = Stripe(form.dataset.key, { locale: document.documentElement.lang }); // the page's, not the browser's
  const asks = "next" in form.dataset; // the card is known: only the bank has a question
  if (asks) fields.removeAttribute("aria-busy");
  const elements = asks ? null : stripe.elements({ clientSecret: form.dataset.secret });
  if (elements) {
    const element = elements.create("payment");
    element.on("ready", () => fields.removeAttribute("aria-busy"));
    element.mount(fields);
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = "";
    const answer = asks
      ? await stripe.handleNextAction({ clientSecret: form.dataset.secret })
      : await stripe.confirmPayment({
          elements,
          confirmParams: { return_url: form.dataset.return },
          redirect: "if_required",
        });
    if (answer.error) {
      said.textContent = answer.error.message;
      button.disabled = false;
    } else {
      location.assign(form.dataset.return);
    }
  });
}
