/* Which promotions a ticket may have, as `samlad.promotions.availability` decides it: where, when and who.
   What only the server can know (how often this person has used it, whether it is their first order) is not given: offline. */

import { localMoment } from "./moments.js";

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
  if (promotion.last_day !== null && moment.day > promotion.last_day) return "ended";
  if (promotion.first_day !== null && moment.day < promotion.first_day) return "not-yet";
  return isHour(promotion.weekdays, promotion.hours, moment) ? null : "hours";
}

/* Hours that go over midnight belong to the day on which they begin. */
function isHour(weekdays, hours, { weekday, time }) {
  let day = weekday;
  if (hours !== null) {
    if (hours.opens < hours.closes) {
      if (time < hours.opens || time >= hours.closes) return false;
    } else if (time < hours.closes && time < hours.opens) day = weekday === 1 ? 7 : weekday - 1;
    else if (time < hours.opens) return false;
  }
  return !weekdays.length || weekdays.includes(day);
}
