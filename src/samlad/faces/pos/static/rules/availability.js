/* Which promotions a ticket may have, as `samlad.promotions.availability` decides it: where, when and who.
   What only the server can know (how often this person has used it, whether it is their first order) is not given: offline. */

import { dayBefore, localMoment } from "./moments.js";

/* Why a ticket may not have a promotion of these rules now, null if it may. here: {time_zone, at, customer, customer_group,
   granted: Set of promotions that a code of this ticket gives, used: {promotion: {uses, spent}}}. What holds in other
   channels or currencies is not among the rules. */
export function whyNot(promotion, here) {
  const time = whenNot(promotion, localMoment(here.at, here.time_zone));
  if (time !== null) return time;
  if (!promotion.is_automatic && !here.granted.has(promotion.id)) return "not-granted";
  if (promotion.customer_group !== null && promotion.customer_group !== (here.customer_group ?? null)) return "group";
  if (promotion.is_per_customer && here.customer) return "offline";
  const used = here.used?.[promotion.id];
  const isOver = promotion.uses_left !== null && promotion.uses_left - (used?.uses ?? 0) <= 0;
  const isSpent = promotion.left !== null && promotion.left - (used?.spent ?? 0) <= 0;
  return isOver || isSpent ? "used-up" : null;
}

/* Why a promotion does not hold at a moment of a channel's clock: not-yet, ended or hours, else null. */
export function whenNot(promotion, moment) {
  const { day, weekday } = dayOf(promotion.hours, moment);
  if (promotion.last_day !== null && day > promotion.last_day) return "ended";
  if (promotion.first_day !== null && day < promotion.first_day) return "not-yet";
  if (promotion.weekdays.length && !promotion.weekdays.includes(weekday)) return "hours";
  return isHour(promotion.hours, moment) ? null : "hours";
}

/* The day to which a moment belongs: hours that go over midnight are of the day on which they begin. */
function dayOf(hours, moment) {
  const isAfterMidnight = hours !== null && hours.opens >= hours.closes && moment.time < hours.closes;
  return isAfterMidnight ? dayBefore(moment.day) : moment;
}

function isHour(hours, { time }) {
  if (hours === null) return true;
  if (hours.opens < hours.closes) return hours.opens <= time && time < hours.closes;
  return time >= hours.opens || time < hours.closes;
}
