/* What a till asks the server. Every answer may be lost; whoever asks tells `Away` (no network, or nobody signed in) from the rest. */

export class Away extends Error {
  constructor(why) {
    super(why);
    this.why = why; // "network" or "sign-in"
  }
}

const PATIENCE_MS = 15_000;

export async function request(address, options = {}, patience = PATIENCE_MS) {
  let answer;
  try {
    answer = await fetch(address, { ...options, signal: AbortSignal.timeout(patience), credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Away("network");
  }
  if (answer.status === 401 || answer.status === 403 || answer.redirected) throw new Away("sign-in");
  if (answer.status === 429 || answer.status >= 500) throw new Away("network");
  return answer;
}

/* Who is at the till, the token for what is sent, and the server's clock: what ours is behind it, in milliseconds. `self` is what the till
   says of itself with that. */
export async function here(address, self = null) {
  const before = Date.now();
  const answer = await request(address, self ? { headers: { "X-Till": JSON.stringify(self) } } : {}, 5_000);
  if (!answer.ok) throw new Away("network");
  const said = await readJson(answer);
  const after = Date.now();
  return { ...said, offset: Math.round(Date.parse(said.now) - (before + after) / 2), asked: after };
}

export async function page(code, till, query) {
  const answer = await request(`/api/till-pack/${code}?${new URLSearchParams({ till, ...query })}`, {}, 60_000);
  if (answer.status === 422 && query.since) return page(code, till, {});
  if (!answer.ok) throw new Away("network");
  return readJson(answer);
}

export const post = (address, token, body) =>
  request(address, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": token }, body: JSON.stringify(body) });

/* The verdicts on some entries, or null where the server takes none of the whole request. */
export async function send(code, token, entries) {
  const answer = await post("/api/till-sales/batch", token, { channel: code, entries });
  return answer.ok ? (await readJson(answer)).verdicts : null;
}

/* How far the journal goes, so that a number that is missing is noticed. */
export async function tell(code, token, journal) {
  const answer = await post("/api/till-sales/batch", token, { channel: code, entries: [], journal });
  return answer.ok;
}

/* What is taken along for a day, or null where nothing is new. */
export async function day(code, till, tag) {
  const answer = await request(`/api/till-day/${code}?${new URLSearchParams({ till })}`, tag ? { headers: { "If-None-Match": tag } } : {}, 30_000);
  if (answer.status === 304) return null;
  if (!answer.ok) throw new Away("network");
  return { ...(await readJson(answer)), tag: answer.headers.get("ETag") };
}

export const lease = (code, token, till) => post("/api/till-leases", token, { channel: code, till });

/* The key that this till signs receipts with, or null where the server will not have it. */
export async function nameKey(code, token, till, key) {
  const answer = await post("/api/till-keys", token, { channel: code, till, public: key });
  return answer.ok ? readJson(answer) : null;
}

/* Nobody is on at the online till. */
export async function lock(base, token) {
  const answer = await request(`${base}/lock`, { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded", "X-CSRF-Token": token }, redirect: "manual" });
  if (answer.type !== "opaqueredirect" && !answer.ok) throw new Away("network");
}

export async function readJson(answer) {
  try {
    return await answer.json();
  } catch {
    throw new Away("network"); // cut off in the middle
  }
}
