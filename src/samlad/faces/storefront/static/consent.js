/* Consent before anything: no module and not deferred, so that it runs before every other script of the page.

   - Google Consent Mode v2: everything denied by default, then what was chosen.
   - <script type="text/plain" data-consent="performance" src="…"> runs once its category was agreed to, never before.
   - <img data-consent="targeting" data-src="…" alt=""> (a pixel) is asked for then, and so is all else that has data-src.
   - The choice is remembered in a cookie for a year, or as long as the shop's ledger has it, and told to that. */
(() => {
  "use strict";
  const CATEGORIES = ["functional", "performance", "targeting"];
  const GOOGLE = {
    ad_storage: "targeting",
    ad_user_data: "targeting",
    ad_personalization: "targeting",
    analytics_storage: "performance",
    functionality_storage: "functional",
    personalization_storage: "functional",
  };

  window.dataLayer = window.dataLayer || [];
  window.gtag = window.gtag || function gtag() { window.dataLayer.push(arguments); };

  function chosen() {
    const match = document.cookie.match(/(?:^|; )consent=v1\.([0-9a-f-]{36})\.([a-z-]*)/);
    if (!match) return null;
    return { id: match[1], granted: match[2].split("-").filter((name) => CATEGORIES.includes(name)) };
  }

  function words(granted) {
    return Object.fromEntries(
      Object.entries(GOOGLE).map(([type, category]) => [type, granted.includes(category) ? "granted" : "denied"]),
    );
  }

  window.gtag("consent", "default", { ...words([]), security_storage: "granted", wait_for_update: 500 });

  function release(granted) {
    for (const waiting of document.querySelectorAll('script[type="text/plain"][data-consent]')) {
      if (!granted.includes(waiting.dataset.consent)) continue;
      const script = document.createElement("script");
      for (const { name, value } of waiting.attributes) {
        if (name !== "type" && name !== "data-consent") script.setAttribute(name, value);
      }
      script.async = waiting.hasAttribute("async"); /* one after the other, as they stand in the page */
      script.text = waiting.text;
      waiting.replaceWith(script);
    }
    for (const waiting of document.querySelectorAll("[data-consent][data-src]")) {
      if (!granted.includes(waiting.dataset.consent)) continue;
      waiting.setAttribute("src", waiting.dataset.src);
      waiting.removeAttribute("data-src");
      waiting.removeAttribute("data-consent");
    }
  }

  function apply(granted) {
    window.gtag("consent", "update", words(granted));
    release(granted);
    document.dispatchEvent(new CustomEvent("samlad:consent", { detail: { granted } }));
  }

  async function save(banner, granted) {
    const before = chosen();
    const body = new URLSearchParams();
    body.set("_csrf", document.querySelector('meta[name="csrf-token"]')?.content ?? "");
    for (const name of granted) body.append("category", name);
    for (const shown of (banner.dataset.consentWordings ?? "").split(" ")) body.append("wording", shown);
    const answer = await fetch("/consent", { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) { /* also where there is no network */
      banner.querySelector("[data-consent-failed]").hidden = false;
      return;
    }
    close(banner);
    /* What runs already cannot be stopped: a page that loads anew has only what is agreed to. */
    if (before?.granted.some((name) => !granted.includes(name))) location.reload();
    else apply(granted);
  }

  let back = null;
  function open(banner) {
    const granted = chosen()?.granted ?? [];
    for (const box of banner.querySelectorAll("input[name=category]")) {
      if (!box.disabled) box.checked = granted.includes(box.value);
    }
    banner.hidden = false;
  }

  function close(banner) {
    banner.hidden = true;
    (back ?? document.getElementById("main"))?.focus();
    back = null;
  }

  const already = chosen();
  if (already) window.gtag("consent", "update", words(already.granted));

  document.addEventListener("DOMContentLoaded", () => {
    const banner = document.getElementById("consent");
    if (already) release(already.granted);
    if (!banner) return;
    if (!already) open(banner);
    document.addEventListener("click", (event) => {
      const opener = event.target.closest("[data-consent-open]");
      if (opener) {
        event.preventDefault();
        back = opener;
        open(banner);
        banner.querySelector("h2").focus();
        return;
      }
      const button = event.target.closest("#consent button[data-consent-choose]");
      if (!button) return;
      const ticked = [...banner.querySelectorAll("input[name=category]:checked:not(:disabled)")].map((box) => box.value);
      save(banner, { all: CATEGORIES, none: [], ticked }[button.dataset.consentChoose]);
    });
    banner.addEventListener("keydown", (event) => {
      /* Away with it by Escape only where an answer is there already: leaving without one is no answer. */
      if (event.key === "Escape" && chosen()) close(banner);
    });
  });
})();
