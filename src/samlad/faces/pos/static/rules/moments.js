/* A moment on a channel's own clock. There is no clock here: whoever asks says when it is. */

const clocks = new Map();

/* Milliseconds since 1970 (UTC) as day (2026-11-26), weekday (1 is Monday) and time (HH:MM) where an IANA time zone holds. */
export function localMoment(at, timeZone) {
  if (!clocks.has(timeZone)) clocks.set(timeZone, clockOf(timeZone));
  const parts = Object.fromEntries(clocks.get(timeZone).formatToParts(at).map((part) => [part.type, part.value]));
  const day = `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day}`;
  return { day, weekday: weekdayOf(day), time: `${parts.hour}:${parts.minute}` };
}

/* The day before a day, with its weekday. */
export function dayBefore(day) {
  const before = new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
  return { day: before, weekday: weekdayOf(before) };
}

function weekdayOf(day) {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7;
}

function clockOf(timeZone) {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
}
