/* When nobody has touched a till for so long: in whatever window of it. */

const LOOK_MS = 1_000;

/* `seconds()` is asked anew each time; 0 is never. `act` is done once, and again only after somebody has touched it. */
export function watch(code, seconds, act) {
  const name = `till-touched-${code}`;
  let touched = Date.now(), isDone = false;
  const touch = () => {
    isDone = false;
    if (Date.now() - touched < LOOK_MS) return;
    touched = Date.now();
    try {
      localStorage.setItem(name, String(touched));
    } catch {
      /* this window counts for itself */
    }
  };
  const elsewhere = () => {
    try {
      return Number(localStorage.getItem(name)) || 0;
    } catch {
      return 0;
    }
  };
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touch, { capture: true, passive: true });
  setInterval(() => {
    if (isDone || !seconds() || Date.now() - Math.max(touched, elsewhere()) < seconds() * 1_000) return;
    isDone = true;
    act();
  }, LOOK_MS);
}
