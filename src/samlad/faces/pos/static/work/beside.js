/* On the pages of store work that need a network: what is unsent on this phone is counted and sent, and the page that needs none is made
   ready, with what there is to do. */

import { keepWork, registered } from "../offline/shell.js";
import * as queue from "./queue.js";
import { Sender } from "./sender.js";

const badge = document.querySelector("[data-work-place]");
const code = badge.dataset.workPlace;

async function begin() {
  const db = await queue.open(code), sender = new Sender(db, code);
  const draw = async () => {
    const [waiting, refused] = await Promise.all([queue.unsent(db), queue.refused(db)]);
    badge.hidden = !waiting.length && !refused.length;
    badge.classList.toggle("warning", waiting.length > 0);
    badge.classList.toggle("danger", !waiting.length && refused.length > 0);
    badge.querySelector("[data-count]").textContent = waiting.length || refused.length;
    badge.querySelector("[data-waiting]").hidden = !waiting.length;
    badge.querySelector("[data-refused]").hidden = waiting.length > 0;
  };
  sender.addEventListener("queue", draw);
  await draw();
  sender.run();
  await registered();
  badge.dataset.kept = String(await keepWork(code));
}

if ("indexedDB" in window && "locks" in navigator) begin().catch((error) => console.warn("store work is not ready to go offline", error));
