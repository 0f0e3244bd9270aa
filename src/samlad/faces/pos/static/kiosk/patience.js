/* Whether somebody is still there. When nobody has touched the kiosk for a while it asks, with half a minute to say so, as often as
   one likes (WCAG 2.2.1); then what is on it goes, so that whoever comes next sees nothing of it. */

import { byId, say } from "../offline/screen.js";

const LOOK_MS = 250, ASKED_MS = 30_000;

/* `seconds()`: how long it is patient, 0: there is nothing to lose. `over()` is done when nobody answered. */
export function watch(seconds, over) {
  const dialog = byId("still");
  let touched = performance.now(), asked = null;
  const stay = () => {
    [touched, asked] = [performance.now(), null];
    if (dialog.open) dialog.close();
  };
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => asked === null && (touched = performance.now()), { capture: true, passive: true });
  byId("more-time").addEventListener("click", stay);
  // Escape is an answer, too. Chromium tells of a dialog's end with the next frame it draws, which may be long after a button has ended
  // it: what is open by then is the next question, and nobody has answered that one.
  dialog.addEventListener("close", () => asked !== null && !dialog.open && stay());
  const look = () => {
    const now = performance.now(), patient = seconds() * 1_000;
    if (!patient) {
      touched = now;
      if (asked !== null) stay();
    } else if (asked === null && now - touched >= patient) {
      asked = now;
      dialog.showModal();
      byId("more-time").focus();
    }
    if (asked === null) return;
    const left = Math.max(0, Math.ceil((ASKED_MS - (now - asked)) / 1_000));
    byId("still-seconds").textContent = say("still-seconds", { n: left });
    if (left > 0) return;
    stay();
    over();
  };
  setInterval(look, LOOK_MS);
}
