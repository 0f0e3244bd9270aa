/* Passkeys: signing in with one, and adding one. The server makes the challenge and judges the answer.
   data-passkey is the address to which the answer goes (its options come from …/options), data-next where to go then;
   data-confirm is where one proves who one is, when the server says (data-confirm-type) that it is too long ago. */

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

async function ask(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", "x-csrf-token": token() },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(said.detail ?? said.title ?? answer.statusText), { problem: said });
  return said;
}

const fromBase64 = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toBase64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const known = (list) => (list ?? []).map((one) => ({ ...one, id: fromBase64(one.id) }));

function plain(credential) {
  const { response } = credential;
  const fields = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const sent = Object.fromEntries(fields.filter((name) => response[name]).map((name) => [name, toBase64(response[name])]));
  if (response.getTransports) sent.transports = response.getTransports();
  return { id: credential.id, rawId: toBase64(credential.rawId), type: credential.type, response: sent, clientExtensionResults: {} };
}

async function signIn(place) {
  const { ceremony, options } = await ask(`${place.dataset.passkey}/options`);
  const publicKey = { ...options, challenge: fromBase64(options.challenge), allowCredentials: known(options.allowCredentials) };
  const credential = await navigator.credentials.get({ publicKey });
  await ask(place.dataset.passkey, { ceremony, credential: plain(credential) });
  location.assign(place.dataset.next);
}

async function add(place) {
  const { ceremony, options } = await ask(`${place.dataset.passkey}/options`);
  const publicKey = {
    ...options,
    challenge: fromBase64(options.challenge),
    user: { ...options.user, id: fromBase64(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  };
  const credential = await navigator.credentials.create({ publicKey });
  const name = place.querySelector('[name="passkey-name"]').value.trim() || place.dataset.name;
  await ask(place.dataset.passkey, { ceremony, credential: plain(credential), name });
  location.assign(place.dataset.next);
}

for (const place of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  place.hidden = false;
  const error = place.querySelector("[data-passkey-error]");
  place.addEventListener("click", async (event) => {
    const adds = event.target.closest("[data-passkey-add]");
    if (!adds && !event.target.closest("[data-passkey-use]")) return;
    error.hidden = true;
    try {
      await (adds ? add(place) : signIn(place));
    } catch (failure) {
      if (place.dataset.confirm && failure.problem?.type === place.dataset.confirmType) location.assign(place.dataset.confirm + encodeURIComponent(location.pathname));
      error.textContent = place.dataset.failed;
      error.hidden = false;
    }
  });
}
