// What Node clients send, as npm has them: node send.mjs CLIENT URL KEY COUNT
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [client, url, key, count] = process.argv.slice(2);
const traits = { email: "kim@example.org", plan: "gold" };
// Further apart than a request may be held up, which corrected times cannot tell from a clock that is wrong.
const at = (number) => new Date(Date.now() - 600_000 + number * 20_000);

async function segment() {
  const { Analytics } = require("@segment/analytics-node");
  const analytics = new Analytics({ writeKey: key, host: url, flushAt: 5, flushInterval: 200 });
  analytics.on("error", (error) => console.error(error));
  analytics.identify({ userId: "kim", traits, timestamp: at(0) });
  for (let n = 1; n <= count; n++)
    analytics.track({ userId: "kim", event: "Product Added", properties: { n }, timestamp: at(n) });
  analytics.page({ userId: "kim", name: "Front" });
  analytics.group({ userId: "kim", groupId: "acme", traits: { size: 3 } });
  analytics.alias({ userId: "kim", previousId: "anon-1" });
  await analytics.closeAndFlush({ timeout: 30_000 });
}

async function rudder() {
  const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
  const analytics = new RudderAnalytics(key, { dataPlaneUrl: url, flushAt: 5, flushInterval: 200 });
  analytics.identify({ userId: "kim", traits });
  for (let n = 1; n <= count; n++)
    analytics.track({ userId: "kim", event: "Product Added", properties: { n }, originalTimestamp: at(n) });
  analytics.page({ userId: "kim", name: "Front" });
  analytics.group({ userId: "kim", groupId: "acme", traits: { size: 3 } });
  analytics.alias({ userId: "kim", previousId: "anon-1" });
  await new Promise((done) => setTimeout(done, 300));
  await analytics.flush();
}

async function jitsu() {
  const { jitsuAnalytics } = require("@jitsu/js");
  const analytics = jitsuAnalytics({ host: url, writeKey: `${key}:secret`, s2s: true });
  const told = async (sent) => await sent.catch(() => {}); // what is refused it says to its caller
  await told(analytics.identify("kim", traits));
  for (let n = 1; n <= count; n++) await told(analytics.track("Product Added", { n }));
  await told(analytics.page({ name: "Front" }));
  await told(analytics.group("acme", { size: 3 }));
}

await { segment, rudder, jitsu }[client]();
